"""The section of the recipe: the config, the command, the versions and the seeds."""

from keras_pruning.errors import InputError
from keras_pruning.reports.html.figures import NONE, listed
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.storage import RECIPE, load_json


def recipe_section(runs, tables):
    """Returns the `Section` of the recipe.

    Args:
        runs: list of `Run`.
        tables: dictionary from data fractions to the `ScoreTable` of their training examples.
    """
    # Commands that write no page do without YAML.
    import yaml

    # Runs of one comparison share their data, model and training
    config = runs[0].metrics["config"]
    context = {
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        "command": _command(all(map(_is_swept, runs))),
        "lines": list(_lines(runs, tables)),
        "versions": _versions(runs),
    }
    return Section("How to reproduce it", "recipe.html.j2", context, "recipe")


def _is_swept(run):
    """Returns whether a run lies in a folder as a sweep names it."""
    *_, kept, seed = run.folder.parts
    return kept.startswith("keep-") and seed == f"seed-{run.metrics['seed']}"


def _command(is_sweep):
    """Returns the command line that repeats the runs. Single runs need their subsets too."""
    if is_sweep:
        return "keras-pruning sweep --config report.yaml --output NEW_FOLDER"
    options = "--subset SUBSET.parquet --seed SEED --output NEW_FOLDER"
    return f"keras-pruning train --config report.yaml {options}"


def _lines(runs, tables):
    """Yields sentences on the seeds."""
    seeds = {}
    for run in runs:
        seeds.setdefault(run.method, set()).add(run.metrics["seed"])
    # Methods with the same seeds share a sentence: random pruning has more of them
    methods = {}
    for method, numbers in seeds.items():
        methods.setdefault(tuple(sorted(numbers)), []).append(method)
    for numbers, names in methods.items():
        text = f"Evaluation seeds {_seeds(numbers)}: {listed(names)}."
        yield text if len(methods) > 1 else f"Evaluation seeds: {_seeds(numbers)}."
    scoring = sorted({seed for table in tables.values() for seed in _scoring_seeds(table)})
    if scoring:
        yield (
            f"Seeds of the probes that scored the examples: {_seeds(scoring)}. They are random "
            "streams of their own: no probe is the start of a run."
        )


def _seeds(seeds):
    """Returns seeds as text, a range if they follow each other."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return listed(seeds)


def _scoring_seeds(table):
    recorded = table.metadata.get("recipe", {}).get("scores_of_each_seed", {})
    return [int(seed) for seed in recorded]


def _versions(runs):
    """Returns a `Table` of the versions of packages that the runs were trained with."""
    versions = {}
    for run in runs:
        for package, version in _recorded(run.folder / RECIPE).items():
            versions.setdefault(str(package), {})[str(version)] = None
    rows = [[package, listed(numbers)] for package, numbers in versions.items()]
    return Table(
        "Versions that the runs were trained with", ["package", "version"], rows or [[NONE, NONE]]
    )


def _recorded(path):
    """Returns the versions in the recipe of a run, none if it has no recipe that can be read."""
    try:
        recipe, _ = load_json(path)
    except InputError:
        # The numbers come from metrics.json: without a recipe, the versions are unknown.
        return {}
    versions = recipe.get("versions")
    return versions if isinstance(versions, dict) else {}
