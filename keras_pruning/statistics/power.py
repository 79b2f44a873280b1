"""The number of runs that it takes to show a difference of two means."""

import math

import numpy as np

from keras_pruning.statistics.welch import standard_error

# Probability to show a difference that there is.
POWER = 0.8
# More runs than this are as good as never.
_MOST = 10_000


def runs_needed(difference, deviation, other_deviation, ratio, level):
    """Returns the number of runs that shows a difference of two means with probability 0.8.

    The test is Welch's, two-sided. Its power is that of the non-central t distribution.

    Args:
        difference: the difference of the means.
        deviation: standard deviation of the runs.
        other_deviation: standard deviation of the runs of the other side.
        ratio: number of runs of the other side for each of these.
        level: level of the test, 0.05 divided by the number of tests.

    Returns:
        An integer of at least 2, or `None` if it would take more than 10,000.
    """

    def power(runs):
        from scipy.stats import nct, t

        other_runs = max(2, math.ceil(ratio * runs))
        parts = deviation**2 / runs, other_deviation**2 / other_runs
        error, freedom = standard_error(*parts, runs, other_runs)
        critical = t.ppf(1 - level / 2, freedom)
        # The other tail is too small to matter where the power is 0.8.
        return nct.sf(critical, freedom, abs(difference) / error)

    if not difference or not (deviation or other_deviation):
        return None
    # More runs than twice those of a normal distribution are not needed
    highest = 2
    while not power(highest) >= POWER:
        highest *= 2
        if highest > 2 * _MOST:
            return None
    candidates = np.arange(max(2, highest // 2), highest + 1)
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(candidates[middle]) >= POWER else (middle + 1, high)
    needed = int(candidates[low])
    return needed if needed <= _MOST else None
