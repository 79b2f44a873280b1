"""Writes the accuracy of each method over the percentage kept for TensorBoard."""

import itertools
import math

import numpy as np

from keras_pruning.reports.event_files import LOWER, MEAN, UPPER, EventFile
from keras_pruning.reports.hparams import accuracy_tag, write_session
from keras_pruning.selection.methods import FULL, fraction_name
from keras_pruning.selection.policies import BASELINE

# Tags of the curves.
ACCURACY, DIFFERENCE = "accuracy", f"difference_to_{BASELINE}"
# Folders of the curves and of the points that stretch the scale of a chart.
CURVES, SCALE = "accuracy", "scale"
_TO_BASELINE = f"Difference to {BASELINE} pruning, in points"
_UNITS = {ACCURACY: "Test accuracy in %", DIFFERENCE: _TO_BASELINE}
# The part of the values at either end that TensorBoard takes for outliers.
_OUTLIERS = 0.05


def write_curves(folder, runs, rows, most):
    """Writes the curves of each method, and returns the charts that show them.

    Each method has a folder, its run in TensorBoard, with its row of HParams. If there are more
    methods than `most`, those of one score share a folder, and each policy has its charts. There
    are no rows of HParams then, because these are one for each folder.

    Args:
        folder: folder to write to.
        runs: list of `Run`.
        rows: list of `Row`, the comparison of the runs.
        most: number of folders to stay below, if possible.

    Returns:
        Dictionary as for `EventFile.margin_charts`.
    """
    parts = {}
    for row in rows:
        parts.setdefault(row.data_fraction, []).append(row)
    unit, steps = _steps(rows)
    selections = {run.method: run.metrics["selection"] for run in runs}
    places = _places(selections, most)
    values = {}
    for name in dict.fromkeys(name for name, _ in places.values()):
        methods = [method for method in places if places[method][0] == name]
        with EventFile(folder / CURVES / name) as events:
            if len(places) <= most:
                write_session(events, name, runs)
                _write_accuracies(events, [row for row in rows if row.method == name])
            for method in methods:
                for tag, *point in _points(method, parts, places[method][1], steps):
                    values.setdefault(tag, []).extend(_write_point(events, tag, *point))
    _write_scale(folder / SCALE, values, min(steps.values()), unit)
    return _charts(unit, parts, list(values))


def _places(selections, most):
    """Returns the folder of each method and the ends of the tags of its curves.

    Args:
        selections: dictionary from methods to the `selection` of their subsets.
        most: number of folders.
    """
    if len(selections) <= most:
        return {method: (method, [""]) for method in selections}
    scores = {method: (selection or {}).get("by") for method, selection in selections.items()}
    policies = {
        method: f"/{method.removeprefix(f'{score}-')}" for method, score in scores.items() if score
    }
    # Methods without a score, the baseline among them, are in the charts of all policies.
    every = list(dict.fromkeys(policies.values())) or [""]
    # No method has a space in its name.
    return {
        method: (f"by {score}", [policies[method]]) if score else (method, every)
        for method, score in scores.items()
    }


def _points(method, parts, ends, steps):
    """Yields the tag, mean, half width and step of each point of a method, steps upwards."""
    for (data_fraction, rows), end in itertools.product(parts.items(), ends):
        suffix = _suffix(data_fraction, parts) + end
        curve = _curve(rows, method)
        if method == FULL:
            # The full data are a horizontal line, to see who reaches it.
            for fraction in _fractions(rows) if curve else []:
                row = curve[-1]
                yield ACCURACY + suffix, row.accuracy, row.half_width, steps[fraction]
            continue
        for row in curve:
            yield ACCURACY + suffix, row.accuracy, row.half_width, steps[row.keep_fraction]
        for row in curve if _has_differences(rows) else []:
            if row.method in (FULL, BASELINE):
                # The baseline is the zero line, and all curves meet it at the full data.
                yield DIFFERENCE + suffix, 0.0, None, steps[row.keep_fraction]
            elif row.difference is not None and not row.is_dynamic:
                step = steps[row.keep_fraction]
                yield DIFFERENCE + suffix, row.difference, row.difference_half_width, step


def _curve(rows, method):
    """Returns the rows of a method from the smallest keep fraction to the full data."""
    by_fraction = {row.keep_fraction: row for row in rows if row.method == method}
    full = {row.keep_fraction: row for row in rows if row.method == FULL}
    # A method that kept everything has its own runs at 100 %, which replace the full data.
    return [row for _, row in sorted({**full, **by_fraction}.items())] if by_fraction else []


def _fractions(rows):
    """Returns the keep fractions upwards, over which the full data are a horizontal line."""
    return sorted({row.keep_fraction for row in rows})


def _has_differences(rows):
    return any(row.difference is not None and not row.is_dynamic for row in rows)


def _write_point(events, tag, mean, half_width, step):
    """Writes a point in percent, and returns its mean and the ends of its interval."""
    mean, half_width = 100 * mean, 100 * (half_width or 0.0)
    events.interval(tag, mean, half_width, step, _UNITS[tag.partition("/")[0]])
    return mean, mean - half_width, mean + half_width


def _write_accuracies(events, rows):
    """Writes the accuracies of a method once more, one tag a fraction, as HParams reads them."""
    for row in rows:
        tag = accuracy_tag(row.keep_fraction, row.data_fraction)
        events.scalar(tag, 100 * row.accuracy, 0, _UNITS[ACCURACY])


def _write_scale(folder, values, first, last):
    """Writes points that nobody sees, so that TensorBoard's charts show every result.

    "Ignore outliers in chart scaling" is on in TensorBoard and leaves a twentieth of the values at
    either end out of the scale: the best and the worst results. No address turns it off. These
    points repeat the lowest and the highest value until neither is an outlier. Their mean is
    infinite, which is not drawn, and their interval has no width.

    Args:
        folder: folder to write to.
        values: dictionary from tags to the values of their curves and intervals.
        first, last: the smallest and the largest step of the curves.
    """
    for name, end in (("lowest", min), ("highest", max)):
        with EventFile(folder / name) as events:
            for tag, shown in values.items():
                # Of n values and 2 m more at either end: 2 m > _OUTLIERS * (n + 4 m).
                count = math.ceil((_OUTLIERS * len(shown) + 1) / (2 - 4 * _OUTLIERS))
                start = max(1, min(first, last - count + 1))
                for step in np.unique(np.linspace(start, last, count).astype(int)):
                    for part, value in ((MEAN, math.inf), (LOWER, end(shown)), (UPPER, end(shown))):
                        events.scalar(f"{tag}/{part}", value, step, "Scales the charts.")


def _steps(rows):
    """Returns the unit of the steps, 100 for percentages, and the step of each keep fraction.

    Steps are integers. If whole percentages would put two fractions on one step, or a fraction on
    0, all steps count tenths of a percent, or hundredths, and so on.
    """
    fractions = _fractions(rows)
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


def _charts(unit, parts, tags):
    """Returns the headings, with the titles of their charts and the tags that these show."""
    kept = "percentage kept" if unit == 100 else f"examples kept of {unit:,}"
    charts = {heading: {} for heading in _UNITS.values()}
    for data_fraction in parts:
        part = f", {100 * data_fraction:g} % of the data" if len(parts) > 1 else ""
        for kind, heading in _UNITS.items():
            start = kind + _suffix(data_fraction, parts)
            for tag in tags:
                policy = tag.removeprefix(start).strip("/")
                if tag == start or tag == f"{start}/{policy}":
                    title = f"{heading}, by {kept}{part}{policy and f', {policy}'}"
                    charts[heading][title] = tag
    seeds = "mean and 95 % interval over the evaluation seeds"
    return {f"{heading}: {seeds}": titles for heading, titles in charts.items() if titles}
