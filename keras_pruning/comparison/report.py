"""Writes the comparison of the runs in a folder."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.comparison.classes import compare_classes
from keras_pruning.comparison.comparison import Comparison
from keras_pruning.comparison.folder import CLASSES, CSV, comparison_folder
from keras_pruning.comparison.folder import FOLDER as FOLDER
from keras_pruning.comparison.grid import missing_runs
from keras_pruning.comparison.pilots import PILOT
from keras_pruning.comparison.result_files import files_named
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.config import DatasetConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.reports.comparison import write_class_csv, write_csv
from keras_pruning.reports.tensorboard import write_tensorboard
from keras_pruning.selection.methods import FULL
from keras_pruning.storage import read_json
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")


def write_comparison(folder, splits=None):
    """Compares all runs below `folder` and writes the result to `folder/comparison`.

    The comparison is a view of the runs and is written again each time. One line says so if a
    sweep is not finished. Files of others in that folder stay.

    Args:
        folder: folder with runs, as a sweep leaves it.
        splits: dictionary from data fractions to the `Splits` of their runs. By default they are
            loaded by the configs of the runs.

    Returns:
        `Comparison`.

    Raises:
        InputError: if there are no runs, or they cannot be compared.
    """
    folder = Path(folder)
    runs = find_runs(folder)
    _report_missing(runs)
    tables = _score_tables(folder)
    examples = _examples(runs, tables, splits or {})
    found = Comparison(runs, compare(runs), compare_classes(runs), tables, examples)
    with comparison_folder(folder) as partial:
        write_csv(partial / CSV, found.rows)
        if found.classes:
            write_class_csv(partial / CLASSES, found.classes)
        write_tensorboard(partial, runs, found.rows, tables, examples)
    return found


def _report_missing(runs):
    """Logs a line if a sweep has not finished all runs that its config asks for."""
    missing = missing_runs(runs)
    if missing:
        _, keep_fraction, method, seed = missing[0]
        logger.info(
            "The sweep is incomplete: missing runs: %d, for example %s, keep fraction %g, seed %d. "
            "Run `sweep` again to train them.",
            len(missing),
            method,
            keep_fraction,
            seed,
        )


def cost_lines(folder, rows):
    """Returns sentences on the cost of scoring, compared with training, and of pilots.

    Args:
        folder: folder of the runs.
        rows: list of `Row`.

    Returns:
        List of sentences, one for each score table of training examples with a recorded cost, and
        one for each pilot.
    """
    full = {row.data_fraction: row.seconds for row in rows if row.method == FULL}
    lines = []
    for path in _results(folder, "scoring.json"):
        cost = read_json(path)
        metadata = ScoreTable.load(path.parent / "scores.parquet").metadata
        if not _is_of_training(metadata):
            continue
        fraction = metadata["examples"]["fraction"]
        # Checkpoints come trained, so only probes add training to the cost
        if cost["probes"]:
            seconds = sum(probe["seconds"] for probe in cost["probes"])
            line = f"Scoring took {seconds:.1f} s of training and scoring probes"
        else:
            seconds = cost["seconds"]
            line = f"Scoring took {seconds:.1f} s with checkpoints, without their training"
        if "extrapolation" in metadata:
            line += f", on {100 * metadata['extrapolation']['fraction']:g} % of the examples"
        if full.get(fraction):
            line += f", {seconds / full[fraction]:.1f} times a training run on the full data"
        lines.append(f"{line}.")
    for path in _results(folder, PILOT):
        choice = read_json(path)
        lines.append(
            f"The pilot in {path.parent.relative_to(folder)} took {choice['cost']['seconds']:.1f} "
            f"s and chose {choice['policy']}."
        )
    return lines


def _score_tables(folder):
    """Returns a dictionary from data fractions to the `ScoreTable` of the training examples."""
    tables = [ScoreTable.load(path) for path in _results(folder, "scores.parquet")]
    tables = [table for table in tables if _is_of_training(table.metadata)]
    # The last table of a fraction is shown: one without extrapolated scores, if there is one.
    tables.sort(key=lambda table: not table.extrapolated.any())
    return {table.metadata["examples"]["fraction"]: table for table in tables}


def _is_of_training(metadata):
    """Returns whether scores are of training examples, the only ones that can be pruned."""
    return metadata["examples"]["split"] == "train"


def _results(folder, name):
    """Returns the files of a name below a folder, without the doctor's, which have wrong labels."""
    doctor = ("doctor/noise-*/*", "doctor/clean/*")
    paths = files_named(folder, name)
    return [path for path in paths if not any(path.match(pattern) for pattern in doctor)]


def _examples(runs, tables, splits):
    """Returns the training examples of each score table, none at all if any cannot be loaded."""
    by_fraction = {}
    for run in runs:
        fraction = run.data_fraction
        if fraction in tables and fraction not in by_fraction:
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
            by_fraction[fraction] = examples
    return by_fraction
