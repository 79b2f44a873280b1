"""Scores of windows that slide over the epochs."""

import numpy as np

from keras_pruning.arguments import positive_integer
from keras_pruning.errors import InputError
from keras_pruning.scores.score import EveryEpochScore


class SlidingWindow:
    """The last values of each example, by row.

    Args:
        length: number of values that make a window.
        num_rows: number of rows.
    """

    def __init__(self, length, num_rows):
        self._values = np.zeros((length, num_rows))
        self._count = np.zeros(num_rows, np.int64)

    def append(self, values, rows=slice(None)):
        """Takes in one value for each of `rows`; the oldest of a full window goes.

        Returns:
            Tuple of the positions of those rows whose window is full, `(full,)`, and their
            windows `(length, full)`, in no particular order of time.
        """
        length, num_rows = self._values.shape
        rows = np.arange(num_rows)[rows]
        self._values[self._count[rows] % length, rows] = values
        self._count[rows] += 1
        full = rows[self._count[rows] >= length]
        return full, self._values[:, full]


class WindowedScore(EveryEpochScore):
    """Base class of the scores of windows of J epochs that slide over the run.

    Args:
        window: number of epochs J in a window, at least two; by default 10, or all that the score
            looks at where they are fewer.
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if an argument is no positive integer, or a run is shorter than a window.
    """

    fewest_epochs = 2

    def __init__(self, window=None, epochs=None):
        super().__init__(epochs)
        self.window = positive_integer("window", window)
        if self.window and self.window < self.fewest_epochs:
            raise InputError(
                f"Invalid `window`. Expected at least {self.fewest_epochs} epochs. "
                f"Received: window={self.window}"
            )
        if self.window and self.epochs and self.window > self.epochs:
            raise InputError(
                f"Invalid `window`. Expected window <= epochs. Received: window={self.window}, "
                f"epochs={self.epochs}"
            )

    def epochs_due(self, epochs):
        due = super().epochs_due(epochs)
        if self.window and self.window > len(due):
            raise InputError(
                f"`{self.name}` needs as many epochs as its window has. Expected window <= "
                f"{len(due)}. Received: window={self.window}"
            )
        return due

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.length = self.window or min(10, len(epochs))

    @property
    def needed(self):
        return self.length

    def details(self):
        return {"window": self.length}


class WindowMean(WindowedScore):
    """Base class of the scores that are a mean over windows of the probability of the label.

    A subclass overrides `of_windows`, from windows `(J, rows)` to `(rows,)`.
    """

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.window_values = SlidingWindow(self.length, len(examples))
        self.total = np.zeros(len(examples))

    def observe(self, signal):
        return signal.label_probability

    def update(self, values, rows=slice(None)):
        super().update(values, rows)
        full, windows = self.window_values.append(values, rows)
        self.total[full] += self.of_windows(windows)

    def result(self):
        windows = self.presentations - self.length + 1
        return (self.total / windows).astype("float32")
