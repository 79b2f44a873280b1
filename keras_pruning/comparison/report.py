"""The comparison as a table on the terminal, as CSV and for TensorBoard."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.comparison.runs import compare, find_runs
from keras_pruning.config import DatasetConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.reports.comparison import write_csv
from keras_pruning.reports.tensorboard import write_tensorboard
from keras_pruning.selection.methods import FULL
from keras_pruning.storage import new_folder, read_json
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")
FOLDER = "comparison"


def write_comparison(folder, splits=None):
    """Compares all runs below `folder` and writes the result to `folder/comparison`.

    What lies there is a view of the runs, made anew each time.

    Args:
        folder: folder with runs, as a sweep leaves it.
        splits: dictionary from data fraction to the `Splits` of its runs; by default they are
            loaded as the runs' configs say.

    Returns:
        List of `Row`.

    Raises:
        InputError: if there are no runs, or they cannot be compared.
    """
    folder = Path(folder)
    runs = find_runs(folder)
    rows = compare(runs)
    tables = _score_tables(folder)
    examples = _examples(runs, tables, splits or {})
    _require_own(folder / FOLDER)
    with new_folder(folder / FOLDER, overwrite=True) as partial:
        write_csv(partial / "comparison.csv", rows)
        write_tensorboard(partial, runs, rows, tables, examples)
    return rows


def _require_own(folder):
    """Raises an `InputError` if an earlier comparison holds anything that a new one would lose."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    own = ("comparison.csv", "accuracy", "scores", "events.out.tfevents")
    foreign = [name for name in names if not name.startswith(own)]
    if foreign:
        raise InputError(
            f"{folder} is made anew by each comparison. Expected nothing else in it. "
            f"Received: {', '.join(foreign)}. Move that elsewhere."
        )


def cost_lines(folder, rows):
    """What scoring cost beside training: a list of sentences, empty where it is not recorded."""
    full = {row.data_fraction: row.seconds for row in rows if row.method == FULL}
    lines = []
    for path in _results(folder, "scoring.json"):
        cost = read_json(path)
        metadata = ScoreTable.load(path.parent / "scores.parquet").metadata
        if not _is_of_training(metadata):
            continue
        fraction = metadata["examples"]["fraction"]
        if cost["probes"]:
            seconds = sum(probe["seconds"] for probe in cost["probes"])
            line = f"Scoring took {seconds:.1f} s of training and scoring probes"
        else:
            seconds = cost["seconds"]
            line = f"Scoring took {seconds:.1f} s with checkpoints, their training not counted"
        if "extrapolation" in metadata:
            line += f", on {100 * metadata['extrapolation']['fraction']:g} % of the examples"
        if full.get(fraction):
            line += f", {seconds / full[fraction]:.1f} times a training run on the full data"
        lines.append(f"{line}.")
    return lines


def _score_tables(folder):
    tables = [ScoreTable.load(path) for path in _results(folder, "scores.parquet")]
    tables = [table for table in tables if _is_of_training(table.metadata)]
    # Of several for one fraction the last is shown: one whose scores are all its own.
    tables.sort(key=lambda table: not table.extrapolated.any())
    return {table.metadata["examples"]["fraction"]: table for table in tables}


def _is_of_training(metadata):
    """Whether scores are of training examples, which can be pruned, and not of the test split."""
    return metadata["examples"]["split"] == "train"


def _results(folder, name):
    """The files of that name below a folder, without those of the doctor, of wrong labels."""
    paths = sorted(Path(folder).rglob(name))
    doctors = [path.match("doctor/noise-*/*") or path.match("doctor/clean/*") for path in paths]
    return [path for path, is_doctors in zip(paths, doctors, strict=True) if not is_doctors]


def _examples(runs, tables, splits):
    """The training examples of each score table, for pictures; none where they are gone."""
    found = {}
    for run in runs:
        fraction = run.data_fraction
        if fraction in tables and fraction not in found:
            dataset = DatasetConfig(**run.metrics["config"]["dataset"])
            known = splits.get(fraction) or Splits(**dataclasses.asdict(dataset))
            try:
                examples = known.train
                table = tables[fraction]
                provenance = table.metadata["examples"]
                examples.require_same(provenance, table.ids, table.labels, "score table")
            except InputError as error:
                logger.info("Pictures of the examples are left out: %s", error)
                return {}
            found[fraction] = examples
    return found
