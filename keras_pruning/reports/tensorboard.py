"""Writes the comparison and the scores for TensorBoard."""

from pathlib import Path

from keras_pruning.reports.accuracy_curves import write_curves
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_experiment
from keras_pruning.reports.projector import write_projector
from keras_pruning.reports.score_pages import write_scores
from keras_pruning.selection.methods import fraction_name

# TensorBoard selects no run at all if there are more.
_MOST_RUNS = 40


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
    # All others: the folder itself, two of the scale, scores and projectors
    most = _MOST_RUNS - 3 - 2 * len(tables)
    charts = write_curves(folder, runs, rows, most)
    with EventFile(folder) as events:
        if len({run.method for run in runs}) <= most:
            write_experiment(events, runs)
        events.margin_charts(charts)
    for data_fraction, table in tables.items():
        name = f"data-{fraction_name(data_fraction)}" if len(tables) > 1 else ""
        scored = examples.get(data_fraction)
        with EventFile(folder / "scores" / name) as events:
            write_scores(events, table, scored, seed)
        if scored is not None:
            same = [run for run in runs if run.data_fraction == data_fraction]
            write_projector(folder / "projector" / name, table, scored, same, seed)
