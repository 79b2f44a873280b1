"""Writes the comparison of the runs in a folder."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.comparison.classes import compare_classes
from keras_pruning.comparison.comparison import Comparison
from keras_pruning.comparison.costs import find_scorings
from keras_pruning.comparison.folder import CLASSES, CSV, LEDGER, PAGE, SCALING, comparison_folder
from keras_pruning.comparison.folder import FOLDER as FOLDER
from keras_pruning.comparison.grid import missing_runs
from keras_pruning.comparison.ledger import make_ledger, smallest_subsets
from keras_pruning.comparison.result_files import results_named
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.comparison.scaling import scaling_of
from keras_pruning.config import DatasetConfig
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.probing.finished_scores import SCORES
from keras_pruning.reports.comparison import write_class_csv, write_csv
from keras_pruning.reports.html.comparison.page import write_comparison_page
from keras_pruning.reports.ledger import write_ledger_csv, write_scaling_csv
from keras_pruning.reports.tensorboard import write_tensorboard
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")


def write_comparison(folder, splits=None, find_suspects=None):
    """Compares all runs below `folder` and writes the result to `folder/comparison`.

    The comparison is a view of the runs and is written again each time. One line says so if a
    sweep is not finished. Files of others in that folder stay.

    Args:
        folder: folder with runs, as a sweep leaves it.
        splits: dictionary from data fractions to the `Splits` of their runs. By default they are
            loaded by the configs of the runs.
        find_suspects: function of `folder` and `Examples` that returns their `SuspectList` or
            `None`, for the page. Without it the page lists no suspects.

    Returns:
        `Comparison`.

    Raises:
        InputError: if there are no runs, or they cannot be compared.
    """
    folder = Path(folder)
    runs = find_runs(folder)
    missing = missing_runs(runs)
    _report_missing(missing)
    by_folder = _training_tables(folder)
    tables = _score_tables(by_folder)
    examples = _examples(runs, tables, splits or {})
    # The costs and the curves belong to the rows of the table
    rows, scorings = compare(runs), find_scorings(by_folder)
    comparison = Comparison(
        runs,
        rows,
        compare_classes(runs),
        tables,
        examples,
        ledger=make_ledger(runs, rows, scorings),
        smallest=smallest_subsets(rows),
        scaling=scaling_of(rows),
        scorings=scorings,
        missing=missing,
        suspects=find_suspects(folder, examples[max(examples)])
        if find_suspects and examples
        else None,
    )
    with comparison_folder(folder) as partial:
        _write(partial, comparison, folder / FOLDER)
    return comparison


def _write(folder, comparison, target):
    """Writes all files of a `Comparison` to a folder, whose content goes to `target` later."""
    rows = comparison.rows
    write_csv(folder / CSV, rows)
    if comparison.classes:
        names = {part: examples.class_names for part, examples in comparison.examples.items()}
        write_class_csv(folder / CLASSES, comparison.classes, names)
    write_ledger_csv(folder / LEDGER, comparison.ledger)
    if comparison.scaling:
        write_scaling_csv(folder / SCALING, comparison.scaling)
    write_comparison_page(folder / PAGE, comparison, target)
    write_tensorboard(folder, comparison.runs, rows, comparison.tables, comparison.examples)


def _report_missing(missing):
    """Logs a line if a sweep has not finished all runs that its config asks for."""
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


def _training_tables(folder):
    """Returns a dictionary from folders to the `ScoreTable` of training examples in each.

    No others can be pruned.
    """
    tables = {path.parent: ScoreTable.load(path) for path in results_named(folder, SCORES)}
    return {
        place: table
        for place, table in tables.items()
        if table.metadata.get("examples", {}).get("split") == "train"
    }


def _score_tables(tables):
    """Returns a dictionary from data fractions to the `ScoreTable` of the training examples.

    Args:
        tables: dictionary as of `_training_tables`.
    """
    # The last table of a fraction is shown: one without extrapolated scores, if there is one.
    tables = sorted(tables.values(), key=lambda table: not table.extrapolated.any())
    return {table.metadata["examples"]["fraction"]: table for table in tables}


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
