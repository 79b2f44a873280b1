"""Forgetting: how often an example turns from right to wrong during training."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore


class ForgettingEvents:
    """The number of times that each example turns from right to wrong.

    Args:
        num_rows: number of examples.
    """

    def __init__(self, num_rows):
        self._correct = np.zeros(num_rows, bool)
        self._learned = np.zeros(num_rows, bool)
        self._events = np.zeros(num_rows, np.int64)

    def append(self, values, rows, presentations):
        correct = values > 0.5
        # An event is a wrong prediction right after a correct one.
        self._events[rows] += self._correct[rows] & ~correct
        self._learned[rows] |= correct
        self._correct[rows] = correct

    def result(self, presentations):
        # Without an event, an example that was never learned would seem the easiest.
        return np.where(self._learned, self._events, presentations)


class Forgetting(EveryEpochScore):
    """Forgetting: the number of forgetting events during training.

    Formula:
        forgetting = number of t with correct at t and wrong at t + 1
        never correct: T, the number of presentations

    Examples that are never learned are the hardest: if all examples are presented equally often, T
    is more than any other example can reach. The predictions are those that the training step
    itself made, in train mode. Over several probes the events are summed. Many examples are tied,
    and selections break ties at random with their seed.

    Args:
        epochs: how many of the first epochs to look at, at least two. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer, or a run has fewer than two epochs, in
            which nothing can be forgotten.

    Example:
        >>> callback = ScoreCallback(examples, scores=["forgetting"])

    Reference:
        Toneva et al., An Empirical Study of Example Forgetting during Deep Neural Network
        Learning, 2019, section 3 (arXiv 1812.05159).
    """

    name = "forgetting"
    higher_is_harder = True
    sees_wrong_labels = True
    over_seeds = "sum"
    fewest_epochs = 2

    def new_summary(self, examples):
        return ForgettingEvents(len(examples))

    def observe(self, signal):
        return signal.correct
