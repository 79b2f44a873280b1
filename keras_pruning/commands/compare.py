"""`compare`: compares finished runs."""

import sys
from pathlib import Path

from keras_pruning.reports import ledger
from keras_pruning.reports.comparison import as_table, reading_lines
from keras_pruning.reports.pictures import are_images

HELP = "Compare finished runs."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--runs", type=str, required=True, help="folder with finished runs")


def run(values):
    """Compares the runs below a folder."""
    from keras_pruning.comparison.report import write_comparison

    yield from show_comparison(write_comparison(values.runs), Path(values.runs))


def show_comparison(comparison, folder):
    """Yields the table of a comparison, the ledger of costs and how to open TensorBoard.

    Args:
        comparison: `keras_pruning.comparison.comparison.Comparison`.
        folder: folder of the runs.
    """
    from keras_pruning.comparison.report import FOLDER

    yield as_table(comparison.rows, comparison.classes)
    yield from reading_lines(comparison.rows, comparison.classes)
    yield ledger.as_table(comparison.ledger)
    yield from ledger.lines(comparison)
    yield f"{folder / FOLDER / 'comparison.csv'}"
    yield f"{folder / FOLDER / 'report.html'}"
    yield from _tensorboard_lines(comparison, folder / FOLDER)


def _tensorboard_lines(comparison, folder):
    """Yields the command that opens TensorBoard, and the addresses of its pages."""
    yield f"To look at it:  {Path(sys.executable).parent / 'tensorboard'} --logdir {folder}"
    pages = {"charts": "custom_scalars", "table": "hparams"}
    if any(are_images(examples.shape) for examples in comparison.examples.values()):
        pages["images"] = "images"
    if any((folder / "projector").rglob("projector_config.pbtxt")):
        pages["projector"] = "projector"
    for name, page in pages.items():
        yield f"{name:<15} http://localhost:6006/#{page}"
