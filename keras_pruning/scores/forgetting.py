"""Forgetting: how often an example that was right is wrong at the next look."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore


class Forgetting(EveryEpochScore):
    """Forgetting events in the course of training.

    Formula:
        forgetting = number of t with correct at t and wrong at t + 1
        never correct: T, the number of presentations

    Examples that are never learned are the hardest: where all are presented equally often, T is
    more than any other can reach. Correct is what the training step itself predicted, in train
    mode. Over several probes the events are summed. Ties are massive; selections break them at
    random under their seed.

    Args:
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["forgetting"])

    Reference:
        Toneva et al., An Empirical Study of Example Forgetting during Deep Neural Network
        Learning, 2019, section 3 (arXiv 1812.05159).
    """

    name = "forgetting"
    higher_is_harder = True
    over_seeds = "sum"

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.correct = np.zeros(len(examples), bool)
        self.learned = np.zeros(len(examples), bool)
        self.events = np.zeros(len(examples), np.int64)

    def observe(self, signal):
        return signal.correct

    def update(self, values, rows=slice(None)):
        super().update(values, rows)
        now = values > 0.5
        self.events[rows] += self.correct[rows] & ~now
        self.learned[rows] |= now
        self.correct[rows] = now

    def result(self):
        return np.where(self.learned, self.events, self.presentations).astype("float32")
