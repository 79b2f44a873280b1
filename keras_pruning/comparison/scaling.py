"""Scaling: how fast the test error falls with the examples kept, for random and each method."""

from dataclasses import dataclass

from keras_pruning.comparison.rows import PLAIN
from keras_pruning.selection.methods import FULL
from keras_pruning.statistics.power_laws import power_law
from keras_pruning.statistics.verdict import BETTER


@dataclass(frozen=True)
class ScalingRow:
    """The test error of one method against the number of examples kept, and the fitted power law.

    Args:
        data_fraction: fraction of the data set that all sizes were kept of. `None` if the sizes
            are of several data fractions.
        method: name of the method.
        slope: exponent of the number of examples in the fitted error, negative if more examples
            lower the error. `None` with fewer than four sizes.
        half_width: half the width of the 95 % interval of the slope, or `None`.
        factor: factor of the fitted error, or `None`.
        sizes: tuple of the numbers of examples kept, ascending.
        errors: tuple of the mean test error at each, in [0, 1].
        bends: whether the slope is below that of random pruning, their intervals do not meet, and
            the method is shown to be better than random at the largest size below the full data.
            `None` for random pruning itself, and if one of the two has no slope.
        steeper: the same without the condition on the largest size. A method that is far worse
            with few examples is steeper too.
        keep_fraction: keep fraction of all sizes, which are of several data fractions then. `None`
            if they are of one data fraction and several keep fractions.
    """

    data_fraction: float | None
    method: str
    slope: float | None
    half_width: float | None
    factor: float | None
    sizes: tuple
    errors: tuple
    bends: bool | None
    keep_fraction: float | None = None
    steeper: bool | None = None


def scaling_of(rows):
    """Returns a `ScalingRow` for each method over keep fractions, then over data fractions.

    A curve over keep fractions ends at the full data, which every method keeps at fraction 1. A
    curve over data fractions keeps the same fraction of each, as in the paper. Curves of a single
    size are left out, and methods that prune while training, which keep every example.

    Args:
        rows: list of `keras_pruning.comparison.rows.Row`.

    Reference:
        Sorscher et al., Beyond neural scaling laws, 2022 (arXiv 2206.14486).
    """
    # Collect the rows of each curve, over keep fractions and over data fractions
    curves = {}
    rows = [row for row in rows if not row.is_dynamic]
    for row in rows:
        if row.method != FULL:
            curves.setdefault((row.data_fraction, None, row.method), []).append(row)
        curves.setdefault((None, row.keep_fraction, row.method), []).append(row)
    # Keeping everything is the last size of every method
    for full in (row for row in rows if row.method == FULL):
        for (data_fraction, _, _), members in curves.items():
            if data_fraction == full.data_fraction:
                members.append(full)
    curves = {key: _sorted(members) for key, members in curves.items() if len(members) > 1}
    fits = {key: _fit(members) for key, members in curves.items()}
    # Of one data fraction first, random before the methods
    return [_row(key, curves[key], fits) for key in sorted(curves, key=_place)]


def _sorted(rows):
    return sorted(rows, key=lambda row: row.examples_kept)


def _fit(rows):
    """Returns the `PowerLaw` of the rows of a curve, or `None`."""
    return power_law([row.examples_kept for row in rows], [1 - row.accuracy for row in rows])


def _place(key):
    data_fraction, keep_fraction, method = key
    return data_fraction is None, -(data_fraction or keep_fraction), method != PLAIN, method


def _row(key, rows, fits):
    """Returns the `ScalingRow` of one curve.

    Args:
        key: tuple of data fraction, keep fraction and method.
        rows: list of its `Row`, by ascending size.
        fits: dictionary from such keys to `PowerLaw` or `None`.
    """
    data_fraction, keep_fraction, method = key
    law, random = fits[key], fits.get((data_fraction, keep_fraction, PLAIN))
    steeper = bends = None
    # Slopes are compared with random pruning on the same axis
    if method not in (PLAIN, FULL) and law is not None and random is not None:
        steeper = law.slope + law.half_width < random.slope - random.half_width
        largest = [row for row in rows if row.method == method][-1]
        bends = steeper and largest.verdict == BETTER
    return ScalingRow(
        data_fraction,
        method,
        law and law.slope,
        law and law.half_width,
        law and law.factor,
        tuple(row.examples_kept for row in rows),
        tuple(1 - row.accuracy for row in rows),
        bends,
        keep_fraction,
        steeper,
    )
