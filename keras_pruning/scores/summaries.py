"""Summaries of the values of each example in the course of training, by row.

A summary has two methods: `append(values, rows, presentations)` and `result(presentations)`.
`EveryEpochScore.new_summary` has their meaning. All values of a summary are in NumPy arrays, which
are saved and restored if a run is interrupted.
"""

import numpy as np

from keras_pruning.arguments import require_positive_integer
from keras_pruning.errors import InputError


def arrays_of(summary, path=""):
    """Returns the arrays of a summary and of the summaries inside of it, by their path."""
    arrays = {}
    for name, value in vars(summary).items():
        if isinstance(value, np.ndarray):
            arrays[path + name] = value
        elif hasattr(value, "append") and hasattr(value, "__dict__"):
            arrays |= arrays_of(value, f"{path}{name}.")
    return arrays


def row_numbers(rows, num_rows):
    """Returns rows, integers or a slice of `num_rows`, as integers `(rows,)`."""
    return np.arange(*rows.indices(num_rows)) if isinstance(rows, slice) else rows


class RunningMean:
    """The mean of the values of each example.

    Args:
        num_rows: number of examples.
    """

    def __init__(self, num_rows):
        self._mean = np.zeros(num_rows)

    def append(self, values, rows, presentations):
        # Updated in place, so that memory does not grow with the number of values.
        self._mean[rows] += (values - self._mean[rows]) / presentations

    def result(self, presentations):
        return self._mean


class WindowMean:
    """The mean of a statistic over the windows that slide over the values of each example.

    Args:
        statistic: function from windows `(length, rows)` to `(rows,)`.
        length: number of values in a window.
        num_rows: number of examples.
    """

    def __init__(self, statistic, length, num_rows):
        self._statistic, self._length = statistic, length
        self._window = SlidingWindow(length, num_rows)
        self._total = np.zeros(num_rows)

    def append(self, values, rows, presentations):
        full, windows = self._window.append(values, rows)
        self._total[full] += self._statistic(windows)

    def result(self, presentations):
        # The number of windows that have slid over so many values
        return self._total / (presentations - self._length + 1)


class SlidingWindow:
    """The last values of each example.

    Args:
        length: number of values in a window.
        num_rows: number of examples.
    """

    def __init__(self, length, num_rows):
        self._values = np.zeros((length, num_rows))
        self._count = np.zeros(num_rows, np.int64)

    def append(self, values, rows=slice(None)):
        """Adds one value for each of `rows`, in the place of the oldest one of a full window.

        Returns:
            Tuple of the rows whose window is full, `(full,)`, and their windows `(length, full)`.
            The values of a window are in no particular order of time.
        """
        length, num_rows = self._values.shape
        rows = row_numbers(rows, num_rows)
        # A ring: the newest value replaces the oldest one
        self._values[self._count[rows] % length, rows] = values
        self._count[rows] += 1
        full = rows[self._count[rows] >= length]
        return full, self._values[:, full]


def checked_window(window, epochs, shortest):
    """Returns the argument `window` of a score.

    Args:
        window: number of epochs in a window, or `None`.
        epochs: number of epochs that the score looks at, or `None`.
        shortest: the smallest number of epochs that a window can have.

    Raises:
        InputError: if `window` is not a positive integer, or is below `shortest` or above `epochs`.
    """
    window = require_positive_integer("window", window)
    if window and window < shortest:
        raise InputError(
            f"Invalid `window`. Expected at least {shortest} epochs. Received: window={window}"
        )
    if window and epochs and window > epochs:
        raise InputError(
            f"Invalid `window`. Expected window <= epochs. Received: window={window}, "
            f"epochs={epochs}"
        )
    return window
