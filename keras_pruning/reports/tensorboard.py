"""Writes the comparison and the scores for TensorBoard."""

from pathlib import Path

from keras_pruning.reports.accuracy_curves import write_curves
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_experiment
from keras_pruning.reports.pictures import are_images
from keras_pruning.reports.projector import FILES as PROJECTOR_FILES
from keras_pruning.reports.projector import write_projector
from keras_pruning.reports.score_pages import write_scores
from keras_pruning.selection.methods import fraction_name

# TensorBoard selects no run at all if there are more.
_MOST_RUNS = 40
_PROJECTOR, _ADDRESS = "projector", "http://localhost:6006/#"


def addresses(folder, rows, tables, examples):
    """Returns the addresses of the pages of a comparison by their names.

    Args:
        folder, rows, tables, examples: as for `write_tensorboard`.
    """
    pages = {"charts": "custom_scalars"}
    if _has_table(rows, tables):
        pages["table"] = "hparams"
    if any(are_images(scored.shape) for scored in examples.values()):
        pages["images"] = "images"
    if any((Path(folder) / _PROJECTOR).rglob(PROJECTOR_FILES[0])):
        pages["projector"] = "projector"
    return {name: _ADDRESS + page for name, page in pages.items()}


def write_tensorboard(folder, runs, rows, tables, examples, seed=0):
    """Writes the event files of a comparison, in few enough folders for TensorBoard to show all.

    - `folder`: the columns of HParams and the layout of Custom Scalars.
    - `folder/accuracy/<method>`: the curves of a method over the percentage kept, and its row of
      HParams. Accuracies are in percent, differences in points.
    - `folder/scale`: points that stretch the scale of the charts, so that they show every method.
    - `folder/scores`: the histogram and the hardest and easiest examples of each score, and the
      rank correlations of the scores.
    - `folder/projector`: embeddings of the examples with their scores.

    Open `tensorboard --logdir` on the folder itself. The folder of the runs around it has the
    training curves too, in one run of TensorBoard for each of them.

    Args:
        folder: folder to write to.
        runs: list of `Run`.
        rows: list of `Row`, the comparison of the runs.
        tables: dictionary from data fractions to `ScoreTable`.
        examples: dictionary from data fractions to the `Examples` of the tables. Without an entry
            there are no pictures, nor if examples are not `(height, width, 1 or 3)`.
        seed: integer that draws among equally hard examples.

    Raises:
        InputError: if a table scores other examples.
    """
    folder = Path(folder)
    charts = write_curves(folder, runs, rows, _most_methods(tables))
    with EventFile(folder) as events:
        if _has_table(rows, tables):
            write_experiment(events, runs)
        events.margin_charts(charts)
    for data_fraction, table in tables.items():
        name = f"data-{fraction_name(data_fraction)}" if len(tables) > 1 else ""
        scored = examples.get(data_fraction)
        with EventFile(folder / "scores" / name) as events:
            write_scores(events, table, scored, seed)
        if scored is not None:
            same = [run for run in runs if run.data_fraction == data_fraction]
            write_projector(folder / _PROJECTOR / name, table, scored, same, seed)


def _most_methods(tables):
    """Returns the number of methods that have a run each, so that TensorBoard shows all runs."""
    # The others are the folder itself, two of the scale, and the scores and projector of a table.
    return _MOST_RUNS - 3 - 2 * len(tables)


def _has_table(rows, tables):
    """Returns whether HParams has a row for each method, which takes a run for each."""
    return len({row.method for row in rows}) <= _most_methods(tables)
