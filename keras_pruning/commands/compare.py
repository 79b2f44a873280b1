"""`compare`: compares finished runs."""

import sys
from pathlib import Path

from keras_pruning.reports.comparison import as_table, reading_lines

HELP = "Compare finished runs."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--runs", type=str, required=True, help="folder with finished runs")


def run(values):
    """Compares the runs below a folder."""
    from keras_pruning.comparison.report import write_comparison

    yield from show_comparison(write_comparison(values.runs), Path(values.runs))


def show_comparison(comparison, folder):
    """Yields the table of a comparison, the costs of scoring and how to open TensorBoard.

    Args:
        comparison: `keras_pruning.comparison.comparison.Comparison`.
        folder: folder of the runs.
    """
    from keras_pruning.comparison.report import FOLDER, cost_lines

    yield as_table(comparison.rows, comparison.classes)
    yield from reading_lines(comparison.rows, comparison.classes)
    yield from cost_lines(folder, comparison.rows)
    yield f"{folder / FOLDER / 'comparison.csv'}"
    tensorboard = Path(sys.executable).parent / "tensorboard"
    yield f"To look at it:  {tensorboard} --logdir {folder / FOLDER}"
    pages = {"charts": "custom_scalars", "table": "hparams"}
    if comparison.tables:
        pages["scores"] = "histograms"
    if comparison.examples:
        pages |= {"images": "images", "projector": "projector"}
    for name, page in pages.items():
        yield f"{name:<15} http://localhost:6006/#{page}"
