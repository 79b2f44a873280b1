"""The difference of two means from a few runs each, whose spreads may differ (Welch)."""

import math
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
# Accuracies that the hardware computes in float32 are not nearer than this.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Welch:
    """A difference of two means and its test.

    Args:
        difference: mean of the values minus mean of the others.
        half_width: half the width of its 95 % interval, `None` if one side has one value only or
            neither side varies.
        p: p-value of the two-sided test that the means are equal. If neither side varies and they
            differ, it is that of the exact permutation test.

    Reference:
        Welch, The Generalization of Student's Problem, 1947.
    """

    difference: float
    half_width: float | None
    p: float

    @property
    def interval(self):
        """Tuple of the lower and the upper end of the interval, or `None`."""
        if self.half_width is None:
            return None
        return self.difference - self.half_width, self.difference + self.half_width


def welch(values, others):
    """Compares two means.

    Differences up to 1e-6 are rounding: such runs are equal.

    Args:
        values: floats `(runs,)`.
        others: floats `(other_runs,)`.

    Returns:
        `Welch`.
    """
    # SciPy takes a while to load, and most commands need no test.
    from scipy.special import stdtr, stdtrit

    sides = [np.asarray(side, np.float64) for side in (values, others)]
    difference = float(sides[0].mean() - sides[1].mean())
    runs = [len(side) for side in sides]
    if min(runs) < 2 or all(np.ptp(side) <= ROUNDING for side in sides):
        # Of all ways to divide the runs, at most two are as extreme as two constant sides.
        p = (
            1.0
            if abs(difference) <= ROUNDING or min(runs) < 2
            else 2 / math.comb(sum(runs), runs[0])
        )
        return Welch(difference, None, p)
    parts = [side.var(ddof=1) / len(side) for side in sides]
    error, freedom = standard_error(*parts, *runs)
    half_width = float(stdtrit(freedom, (1 + CONFIDENCE) / 2) * error)
    return Welch(difference, half_width, float(2 * stdtr(freedom, -abs(difference) / error)))


def standard_error(variance, other_variance, runs, other_runs):
    """Returns the standard error of a difference of two means, and its degrees of freedom.

    Args:
        variance: variance of the mean of one side, its number of runs being `runs`.
        other_variance: variance of the mean of the other side, that of `other_runs` runs.
        runs: number of runs, at least 2.
        other_runs: number of runs, at least 2.

    Returns:
        Tuple of two floats. The degrees of freedom are those of Welch and Satterthwaite.
    """
    total = variance + other_variance
    freedom = total**2 / (variance**2 / (runs - 1) + other_variance**2 / (other_runs - 1))
    return total**0.5, freedom
