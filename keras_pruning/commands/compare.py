"""`compare`: compares finished runs."""

import shlex
import sys
from pathlib import Path

from keras_pruning.reports import ledger
from keras_pruning.reports.comparison import as_tables, reading_lines

HELP = "Compare finished runs."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--runs", type=str, required=True, help="folder with finished runs")


def run(values):
    """Compares the runs below a folder."""
    from keras_pruning.comparison.report import write_comparison
    from keras_pruning.wrong_labels.finished_suspects import finished_suspects

    comparison = write_comparison(values.runs, find_suspects=finished_suspects)
    yield from show_comparison(comparison, Path(values.runs))


def show_comparison(comparison, folder):
    """Yields the table of a comparison, the ledger of costs and how to open TensorBoard.

    Args:
        comparison: `keras_pruning.comparison.comparison.Comparison`.
        folder: folder of the runs.
    """
    from keras_pruning.comparison.report import FOLDER
    from keras_pruning.reports.tensorboard import addresses

    yield from as_tables(comparison.rows, comparison.classes)
    yield from reading_lines(comparison.rows, comparison.classes)
    yield ledger.as_table(comparison.ledger)
    yield from ledger.lines(comparison)
    files = folder / FOLDER
    yield f"{files / 'comparison.csv'}"
    yield f"{files / 'report.html'}"
    command = [str(Path(sys.executable).parent / "tensorboard"), "--logdir", str(files)]
    yield f"To look at it:  {shlex.join(command)}"
    pages = addresses(files, comparison.rows, comparison.tables, comparison.examples)
    for name, address in pages.items():
        yield f"{name:<15} {address}"
