"""The command `score`: what is scored, with what, and the files that it leaves."""

import dataclasses
import glob
import logging
import os
import re
import time
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.probe import probe_tables, require_scores, score_entries, scores_of_each_seed
from keras_pruning.processes import run_each, thread_count
from keras_pruning.score_table import ScoreTable
from keras_pruning.storage import new_file, require_same_recipe, write_json
from keras_pruning.versions import file_digest, source_digest, versions

logger = logging.getLogger("keras_pruning")
SCORES = "scores.parquet"

_SHARED_WITH_PROBES = (
    "batch_size",
    "optimizer",
    "learning_rate",
    "schedule",
    "weight_decay",
    "augmentation",
)


def score(config, output, checkpoints=None):
    """Scores the training examples, with the probes of `config` or with saved checkpoints.

    A score table that is there already is reused if it has the same recipe.

    Args:
        config: `Config`.
        output: folder for `scores.parquet`, `scores.csv` and `scoring.json`, what it cost.
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
        list(run_each(require_scores, [check], 1, recipe["threads"], "check"))
        seeds = len(scores_of_each_seed(config))
        logger.info("Training and scoring, probes: %d, at a time: %d.", seeds, config.probe.jobs)
        tables, costs = probe_tables(config, recipe["threads"])
    table = ScoreTable.over_seeds(tables)
    table.metadata["recipe"] = recipe
    if find_scores(config, output, checkpoints)[0] is not None:
        logger.info("Reused %s: another process wrote it meanwhile.", output / SCORES)
        return table
    table.to_csv(output / "scores.csv")
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
    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    recipe = _recipe(config, examples.provenance, checkpoints)
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


def _recipe(config, provenance, checkpoints):
    """All that a score table depends on."""
    if checkpoints:
        return {
            "examples": provenance,
            "checkpoints": [[Path(path).name, file_digest(path)] for path in checkpoints],
            "scores": score_entries(config),
            "threads": thread_count(1, config.probe.threads),
            "versions": versions(),
        }
    values = config.as_dict()
    return {
        "examples": provenance,
        "model": values["model"],
        "model_source": source_digest(config.model.name),
        "probe": {"epochs": config.probe.epochs},
        "scores_of_each_seed": scores_of_each_seed(config),
        "training": {key: values["training"][key] for key in _SHARED_WITH_PROBES},
        "threads": thread_count(config.probe.jobs, config.probe.threads),
        "versions": versions(),
    }


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
    """Scores the training examples with saved models, in a process of its own.

    Args:
        config: `Config`.
        checkpoints: paths of `.keras` files, the oldest first.

    Returns:
        `ScoreTable`.
    """
    from keras_pruning.scores import score_checkpoints

    examples = load_examples(split="train", **dataclasses.asdict(config.dataset))
    scores = [
        {key: value for key, value in entry.items() if key != "seeds"}
        for entry in score_entries(config)
    ]
    return score_checkpoints(checkpoints, examples, scores)
