"""The command `score`: what is scored, with what, and the files that it leaves."""

import glob
import logging
import os
import re
import time
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs.local import run_each, thread_count
from keras_pruning.probing.extrapolation import (
    NEIGHBOURS,
    extrapolate,
    over_probes,
    require_penultimate,
)
from keras_pruning.probing.probes import (
    probe_tables,
    require_scores,
    score_entries,
    scores_of_each_seed,
)
from keras_pruning.probing.scored_examples import scored_examples
from keras_pruning.recipes import file_digest, require_same_recipe, source_digest, versions
from keras_pruning.reports.prediction_depth import write_depth_curves
from keras_pruning.storage import new_file, write_json
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")
SCORES, DEPTH = "scores.parquet", "prediction_depth"

_SHARED_WITH_PROBES = (
    "batch_size",
    "optimizer",
    "learning_rate",
    "schedule",
    "weight_decay",
    "augmentation",
)


def score(config, output, checkpoints=None):
    """Scores examples, with the probes of `config` or with saved checkpoints.

    A score table that is there already is reused if it has the same recipe.

    Args:
        config: `Config`.
        output: folder for `scores.parquet`, `scores.csv`, `scoring.json`, what it cost, and the
            event file `prediction_depth/…`, the curves of the first probe with that score.
        checkpoints: paths of `.keras` files of one training run, the oldest first; by default
            probes are trained.

    Returns:
        `ScoreTable`.

    Raises:
        InputError: if the output holds other scores, or the config does not fit the data.
    """
    output = Path(output)
    table, recipe = find_scores(config, output, checkpoints)
    if table is not None:
        logger.info("Reused %s: it has the same recipe.", output / SCORES)
        return table
    start = time.perf_counter()
    if checkpoints:
        names = ", ".join(path.name for path in map(Path, checkpoints))
        logger.info("Scoring with these checkpoints, the oldest first: %s.", names)
        call = {"config": config, "checkpoints": checkpoints}
        tables = list(run_each(score_with_checkpoints, [call], 1, recipe["threads"], "scoring"))
        costs = []
    else:
        check = {"config": config, "num_classes": recipe["examples"]["classes"]}
        (probes,) = run_each(require_scores, [check], 1, recipe["threads"], "check")
        logger.info("Training and scoring, probes: %d, at a time: %d.", probes, config.probe.jobs)
        tables, costs = probe_tables(config, recipe["threads"])
    if config.probe.fraction < 1:
        table = over_probes(tables, config.probe.fraction, config.seed)
    else:
        table = ScoreTable.over_seeds(tables)
    table.metadata["recipe"] = recipe
    if find_scores(config, output, checkpoints)[0] is not None:
        logger.info("Reused %s: another process wrote it meanwhile.", output / SCORES)
        return table
    table.to_csv(output / "scores.csv")
    if DEPTH in table.names:
        probes = table.metadata["reliability"][DEPTH]["seeds"]
        write_depth_curves(output / DEPTH, table.metadata["scores"][DEPTH], probes)
    with new_file(output / "scoring.json") as partial:
        write_json(partial, {"seconds": time.perf_counter() - start, "probes": costs})
    # Last: where it lies, the others do.
    table.save(output / SCORES)
    return table


def find_scores(config, output, checkpoints=None):
    """The scores that lie in `output` already, and the recipe of those that are asked for.

    Args:
        config: `Config`.
        output: folder that `score` writes to.
        checkpoints: as for `score`.

    Returns:
        Tuple of `ScoreTable`, `None` if there is none, and the recipe.

    Raises:
        InputError: if the output holds other scores, or something in the way of new ones.
    """
    recipe = _recipe(config, scored_examples(config), checkpoints)
    nearest = next((path for path in (output, *output.parents) if path.exists()), output.parent)
    if nearest.exists() and not nearest.is_dir():
        raise InputError(f"Expected a folder as --output. Received: the file {nearest}")
    if (output / SCORES).exists():
        table = ScoreTable.load(output / SCORES)
        require_same_recipe(output / SCORES, table.metadata.get("recipe"), recipe)
        return table, recipe
    for name in ("scores.csv", "scoring.json"):
        if (output / name).exists():
            raise InputError(f"{output / name} is there without {SCORES}. Remove it first.")
    return None, recipe


def _recipe(config, sets, checkpoints):
    """All that a score table depends on."""
    part = _part(config)
    examples = {"examples": sets.all.provenance}
    if sets.unseen:
        examples["support"] = sets.trained_on.provenance
    if checkpoints:
        return {
            **examples,
            "checkpoints": [[Path(path).name, file_digest(path)] for path in checkpoints],
            **({"probe": part} if part else {}),
            "scores": _with_names(score_entries(config)),
            **_embeddings(config),
            "threads": thread_count(1, config.probe.threads),
            "versions": versions(),
        }
    values = config.as_dict()
    return {
        **examples,
        "model": values["model"],
        "model_source": source_digest(config.model.name),
        "probe": {"epochs": config.probe.epochs, **part},
        "scores_of_each_seed": {
            seed: _with_names(entries) for seed, entries in scores_of_each_seed(config).items()
        },
        **_embeddings(config),
        "training": {key: values["training"][key] for key in _SHARED_WITH_PROBES},
        "threads": thread_count(config.probe.jobs, config.probe.threads),
        "versions": versions(),
    }


def _part(config):
    """What a score table depends on besides, where only a part is scored."""
    # Only then: files from before there were parts stay valid.
    if config.probe.fraction == 1:
        return {}
    return {"fraction": config.probe.fraction, "part_seed": config.seed, "neighbours": NEIGHBOURS}


def _embeddings(config):
    """Name and hash of each file that a score takes its embedding from, if there is any."""
    entries = score_entries(config)
    paths = [entry["embedding"] for entry in entries if isinstance(entry.get("embedding"), str)]
    for path in paths:
        if not Path(path).is_file():
            raise InputError(
                f"Missing embedding file. Expected a .npy or .keras file. Received: {path}"
            )
    # Only then: files from before there were embeddings stay valid.
    return {"embeddings": [[Path(path).name, file_digest(path)] for path in paths]} if paths else {}


def _with_names(entries):
    """Score entries with the name of the embedding's file, which counts wherever it lies."""
    named = [isinstance(entry.get("embedding"), str) for entry in entries]
    return [
        {**entry, "embedding": Path(entry["embedding"]).name} if has_name else entry
        for entry, has_name in zip(entries, named, strict=True)
    ]


def find_checkpoints(pattern):
    """The files that a pattern such as `'DIR/*.keras'` names, the oldest first.

    Numbers in names count as numbers: `epoch-2.keras` comes before `epoch-10.keras`.

    Raises:
        InputError: if there is none, or one of them is no `.keras` file.
    """
    # Sorted by letters first: the order of epoch-2 and epoch-02 must not be that of the disk.
    paths = sorted(map(Path, sorted(glob.glob(os.path.expanduser(pattern)))), key=_by_numbers)
    others = [path for path in paths if path.suffix != ".keras" or not path.is_file()]
    if others or not paths:
        received = f"{others[0]} among the files" if others else "no file"
        raise InputError(
            "Invalid --checkpoints. Expected a pattern of .keras files of one training run, in "
            f"quotes: 'DIR/*.keras'. Received: {received} of {pattern!r}"
        )
    return paths


def _by_numbers(path):
    """A key that sorts paths as people do: by the numbers in them, `model` before `model2`."""
    parts = re.split(r"(\d+)", str(path.with_suffix("")))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def score_with_checkpoints(config, checkpoints):
    """Scores examples with saved models, in a process of its own.

    Args:
        config: `Config`.
        checkpoints: paths of `.keras` files, the oldest first.

    Returns:
        `ScoreTable`, or with `probe.fraction` below 1 a `Carried`, by the last of the checkpoints.
    """
    from keras_pruning.models import networks as models
    from keras_pruning.scores import score_checkpoints

    sets = scored_examples(config)
    scores = [
        {key: value for key, value in entry.items() if key != "seeds"}
        for entry in score_entries(config)
    ]
    last = models.load(checkpoints[-1])
    if sets.carried_over:
        require_penultimate(last)
    table = score_checkpoints(checkpoints, sets.scored, scores, support=sets.trained_on)
    return extrapolate(table, last, sets.all) if sets.carried_over else table
