"""Data maps: mean and spread of the label's probability in training, and accuracy."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore


class RunningDeviation:
    """The population standard deviation of the values of each example.

    Args:
        num_rows: number of examples.
    """

    def __init__(self, num_rows):
        self._mean, self._squares = np.zeros(num_rows), np.zeros(num_rows)

    def append(self, values, rows, presentations):
        # Welford's method, which takes no difference of large sums.
        difference = values - self._mean[rows]
        self._mean[rows] += difference / presentations
        self._squares[rows] += difference * (values - self._mean[rows])

    def result(self, presentations):
        return np.sqrt(self._squares / presentations)


class Confidence(EveryEpochScore):
    """Confidence: the mean over training of the probability of the label. Low is hard.

    Formula:
        confidence = 1/T · Σ_t p_y

    The probabilities are those that the training step itself computed, in train mode.

    Args:
        epochs: how many of the first epochs to look at. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["confidence", "variability"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "confidence"
    higher_is_harder = False
    sees_wrong_labels = True

    def observe(self, signal):
        return signal.label_probability


class Variability(EveryEpochScore):
    """Variability: the spread over training of the probability of the label.

    Formula:
        variability = √(1/T · Σ_t (p_y − mean_t p_y)²)

    The standard deviation is that of a population. The probabilities are those that the training
    step itself computed, in train mode.

    Args:
        epochs: how many of the first epochs to look at, at least two. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer, or a run has fewer than two epochs.

    Example:
        >>> callback = ScoreCallback(examples, scores=["confidence", "variability"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "variability"
    higher_is_harder = True
    fewest_epochs = 2

    def new_summary(self, examples):
        return RunningDeviation(len(examples))

    def observe(self, signal):
        return signal.label_probability


class Correctness(EveryEpochScore):
    """Correctness: the part of training in which the example was predicted right. Low is hard.

    Formula:
        correctness = 1/T · Σ_t [argmax z = y]

    The predictions are those that the training step itself made, in train mode.

    Args:
        epochs: how many of the first epochs to look at. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["correctness"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "correctness"
    higher_is_harder = False
    sees_wrong_labels = True

    def observe(self, signal):
        return signal.correct
