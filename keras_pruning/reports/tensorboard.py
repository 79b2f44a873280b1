"""The comparison and the scores as TensorBoard shows them."""

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

EXAMPLES_SHOWN = 25
ACCURACY, DIFFERENCE = "accuracy", f"difference_to_{BASELINE}"


def write_tensorboard(folder, runs, rows, tables, examples, seed=0):
    """Writes the event files of a comparison.

    `folder` gets the columns of HParams and the layout of Custom Scalars;
    `folder/accuracy/<method>` the curves of a method over the percentage kept;
    `folder/scores` the histograms, the hardest and easiest examples of each score and the rank
    correlations of the scores. Open `tensorboard --logdir` on the folder of the runs.

    Args:
        folder: where to write, below the folder of the runs.
        runs: list of `Run`.
        rows: list of `Row`, what `compare` made of the runs.
        tables: dictionary of data fraction and `ScoreTable`.
        examples: dictionary of data fraction and the `Examples` that its table scores. Pictures
            are left out where it has none, or where examples are not `(height, width, 1 or 3)`.
        seed: integer; fixes which of equally hard examples are shown.

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
    """Writes the curves of each method; returns the charts that show them."""
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
    """The methods that get a curve: all but the full data, which is the end of every curve."""
    methods = list(dict.fromkeys(row.method for row in rows))
    return [method for method in methods if method != FULL] or methods


def _curve(rows, method):
    """The rows of a method from the smallest keep fraction to the full data."""
    own = {row.keep_fraction: row for row in rows if row.method == method}
    full = {row.keep_fraction: row for row in rows if row.method == FULL}
    # A method that was asked to keep everything has runs of its own at 100 %.
    return [row for _, row in sorted({**full, **own}.items())] if own else []


def _write_accuracy(events, tag, curve, steps):
    for row in curve:
        events.interval(tag, row.accuracy, row.half_width, steps[row.keep_fraction])


def _write_difference(events, tag, curve, steps):
    for row in curve:
        step = steps[row.keep_fraction]
        if row.method in (FULL, BASELINE):
            # Random pruning is the zero line, and the full data is where all methods meet it.
            events.interval(tag, 0.0, None, step)
        elif row.difference is not None:
            events.interval(tag, row.difference, row.difference_half_width, step)


def _has_differences(rows):
    return any(row.difference is not None for row in rows)


def _steps(rows):
    """The unit of the steps, 100 for percentages, and the step of each keep fraction.

    Steps are integers. Where whole percentages would put two fractions on one step, or a fraction
    on 0, all steps count tenths of a percent, or hundredths, and so on.
    """
    fractions = sorted({row.keep_fraction for row in rows})
    unit = 100
    while True:
        # Half up, although 100 · 0.145 is 14.499… in binary.
        steps = [math.floor(unit * fraction + 0.5 + 1e-9) for fraction in fractions]
        if steps[0] > 0 and len(set(steps)) == len(steps):
            return unit, dict(zip(fractions, steps, strict=True))
        unit *= 10


def _suffix(data_fraction, parts):
    """Keeps data fractions apart by tag: a chart shows a tag of all runs together."""
    return f"/data-{fraction_name(data_fraction)}" if len(parts) > 1 else ""


def _charts(unit, parts):
    """Headings, each with the titles of its charts and the tags that they show."""
    kept = "percentage kept" if unit == 100 else f"examples kept of {unit:,}"
    accuracy, difference = {}, {}
    for data_fraction, rows in parts.items():
        of_what = f", {100 * data_fraction:g} % of the data" if len(parts) > 1 else ""
        suffix = _suffix(data_fraction, parts)
        accuracy[f"Test accuracy by {kept}{of_what}"] = ACCURACY + suffix
        if _has_differences(rows):
            difference[f"Difference to random pruning by {kept}{of_what}"] = DIFFERENCE + suffix
    charts = {"Test accuracy": accuracy, "Difference to random pruning": difference}
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
    what = "Spearman rank correlation of the scores, all oriented so that higher means harder."
    # Two tags: of two kinds of data under one tag, TensorBoard shows the first alone.
    events.text("rank_correlation/table", _markdown(correlations, table.names), description=what)
    pixels = correlation_map(correlations, table.names)
    events.image("rank_correlation/map", pixels, description=what)


def _markdown(correlations, names):
    lines = [["", *names], ["---"] + ["---:"] * len(names)]
    for name, row in zip(names, correlations, strict=True):
        numbers = [f"{value:z.2f}" if np.isfinite(value) else "–" for value in row]
        lines.append([f"**{name}**", *numbers])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _write_examples(events, table, examples, seed):
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
            what = f"The {len(rows)} {end} examples by {name}: class and score."
            events.image(f"{end}/{name}", pixels, description=what)


def _class_name(examples, row):
    """The class of an example as Pillow's own font can write it: that font has ASCII only."""
    label = examples.labels[row]
    name = examples.class_names[label]
    return name if name.isascii() else f"class {label}"
