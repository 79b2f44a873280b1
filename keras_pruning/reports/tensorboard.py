"""Writes the comparison and the scores for TensorBoard."""

import math
from pathlib import Path

import numpy as np

from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_experiment
from keras_pruning.reports.pictures import are_images, correlation_map, grid
from keras_pruning.selection.methods import FULL, fraction_name
from keras_pruning.selection.policies import BASELINE
from keras_pruning.selection.ranking import hardest_first
from keras_pruning.statistics.ranks import rank_correlations

# Examples in a picture.
EXAMPLES_SHOWN = 25
# Tags of the curves.
ACCURACY, DIFFERENCE = "accuracy", f"difference_to_{BASELINE}"
_TO_BASELINE = f"Difference to {BASELINE} pruning"


def write_tensorboard(folder, runs, rows, tables, examples, seed=0):
    """Writes the event files of a comparison.

    - `folder`: the columns of HParams and the layout of Custom Scalars.
    - `folder/accuracy/<method>`: the curves of a method over the percentage kept.
    - `folder/scores`: the histogram and the hardest and easiest examples of each score, and the
      rank correlations of the scores.

    Open `tensorboard --logdir` on the folder of the runs.

    Args:
        folder: folder to write to, below the folder of the runs.
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
    charts = _write_curves(folder / "accuracy", rows)
    with EventFile(folder) as events:
        write_experiment(events, runs)
        events.margin_charts(charts)
    for data_fraction, table in tables.items():
        name = f"data-{fraction_name(data_fraction)}" if len(tables) > 1 else ""
        with EventFile(folder / "scores" / name) as events:
            _write_scores(events, table)
            _write_correlations(events, table)
            _write_examples(events, table, examples.get(data_fraction), seed)


def _write_curves(folder, rows):
    """Writes the curves of each method, and returns the charts that show them."""
    unit, steps = _steps(rows)
    parts = {}
    for row in rows:
        parts.setdefault(row.data_fraction, []).append(row)
    for method in _methods(rows):
        with EventFile(folder / method) as events:
            for data_fraction, part in parts.items():
                suffix = _suffix(data_fraction, parts)
                _write_accuracy(events, ACCURACY + suffix, _curve(part, method), steps)
                if _has_differences(part):
                    _write_difference(events, DIFFERENCE + suffix, _curve(part, method), steps)
    return _charts(unit, parts)


def _methods(rows):
    """Returns the methods with a curve: all but the full data, which is the end of every curve."""
    methods = list(dict.fromkeys(row.method for row in rows))
    # Alone, the full data are a curve of one point.
    return [method for method in methods if method != FULL] or methods


def _curve(rows, method):
    """Returns the rows of a method from the smallest keep fraction to the full data."""
    by_fraction = {row.keep_fraction: row for row in rows if row.method == method}
    full = {row.keep_fraction: row for row in rows if row.method == FULL}
    # A method that kept everything has its own runs at 100 %, which replace the full data.
    return [row for _, row in sorted({**full, **by_fraction}.items())] if by_fraction else []


def _write_accuracy(events, tag, curve, steps):
    """Writes the accuracies of a curve and their intervals."""
    for row in curve:
        events.interval(tag, row.accuracy, row.half_width, steps[row.keep_fraction])


def _write_difference(events, tag, curve, steps):
    """Writes the differences of a curve to the baseline, and their intervals."""
    for row in curve:
        step = steps[row.keep_fraction]
        if row.method in (FULL, BASELINE):
            # The baseline is the zero line, and all curves meet it at the full data.
            events.interval(tag, 0.0, None, step)
        elif row.difference is not None:
            events.interval(tag, row.difference, row.difference_half_width, step)


def _has_differences(rows):
    return any(row.difference is not None for row in rows)


def _steps(rows):
    """Returns the unit of the steps, 100 for percentages, and the step of each keep fraction.

    Steps are integers. If whole percentages would put two fractions on one step, or a fraction on
    0, all steps count tenths of a percent, or hundredths, and so on.
    """
    fractions = sorted({row.keep_fraction for row in rows})
    unit = 100
    while True:
        # Rounded half up, although 100 · 0.145 is 14.499… in binary.
        steps = [math.floor(unit * fraction + 0.5 + 1e-9) for fraction in fractions]
        if steps[0] > 0 and len(set(steps)) == len(steps):
            return unit, dict(zip(fractions, steps, strict=True))
        unit *= 10


def _suffix(data_fraction, parts):
    """Returns the end of a tag, because a chart shows one tag of all data fractions together."""
    return f"/data-{fraction_name(data_fraction)}" if len(parts) > 1 else ""


def _charts(unit, parts):
    """Returns the headings, with the titles of their charts and the tags that these show."""
    kept = "percentage kept" if unit == 100 else f"examples kept of {unit:,}"
    accuracy, difference = {}, {}
    for data_fraction, rows in parts.items():
        part = f", {100 * data_fraction:g} % of the data" if len(parts) > 1 else ""
        suffix = _suffix(data_fraction, parts)
        accuracy[f"Test accuracy by {kept}{part}"] = ACCURACY + suffix
        if _has_differences(rows):
            difference[f"{_TO_BASELINE} by {kept}{part}"] = DIFFERENCE + suffix
    charts = {"Test accuracy": accuracy, _TO_BASELINE: difference}
    seeds = "mean and 95 % interval over the evaluation seeds"
    return {f"{heading}: {seeds}": tags for heading, tags in charts.items() if tags}


def _write_scores(events, table):
    for name in table.names:
        harder = "Higher" if table.higher_is_harder(name) else "Lower"
        events.histogram(f"scores/{name}", table[name], description=f"{harder} is harder.")


def _write_correlations(events, table):
    if len(table.names) < 2:
        return
    correlations = rank_correlations([table.difficulty(name) for name in table.names])
    description = "Spearman rank correlations of the scores, oriented so that higher is harder."
    # Two tags, because TensorBoard shows only the first kind of data under one tag.
    text = _markdown(correlations, table.names)
    events.text("rank_correlation/table", text, description=description)
    pixels = correlation_map(correlations, table.names)
    events.image("rank_correlation/map", pixels, description=description)


def _markdown(correlations, names):
    """Returns the correlations as a table."""
    lines = [["", *names], ["---"] + ["---:"] * len(names)]
    for name, row in zip(names, correlations, strict=True):
        numbers = [f"{value:z.2f}" if np.isfinite(value) else "–" for value in row]
        lines.append([f"**{name}**", *numbers])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _write_examples(events, table, examples, seed):
    """Writes pictures of the hardest and the easiest examples of each score."""
    if examples is None or not are_images(examples.shape):
        return
    examples.require_same(table.metadata.get("examples", {}), table.ids, table.labels, "table")
    for name in table.names:
        difficulty = table.difficulty(name)
        for end, ranked_by in (("hardest", difficulty), ("easiest", -difficulty)):
            ranking = hardest_first(ranked_by, np.random.default_rng(seed))
            rows = ranking[:EXAMPLES_SHOWN]
            captions = [[_class_name(examples, row), f"{table[name][row]:.3g}"] for row in rows]
            pixels = grid(examples.stored_inputs(rows), captions)
            description = f"The {len(rows)} {end} examples by {name}: class and score."
            events.image(f"{end}/{name}", pixels, description=description)


def _class_name(examples, row):
    """Returns the class of an example, as a number if Pillow's font lacks its characters."""
    label = examples.labels[row]
    name = examples.class_names[label]
    return name if name.isascii() else f"class {label}"
