"""Data maps: mean and spread of the label's probability in training, and how often it was right."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore, MeanOverEpochs


class Confidence(MeanOverEpochs):
    """Confidence: the mean over training of the probability of the label; low is hard.

    Formula:
        confidence = 1/T · Σ_t p_y

    On the probabilities that the training step itself computed, in train mode.

    Args:
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["confidence", "variability"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "confidence"
    higher_is_harder = False

    def observe(self, signal):
        return signal.label_probability


class Variability(EveryEpochScore):
    """Variability: the spread over training of the probability of the label.

    Formula:
        variability = √(1/T · Σ_t (p_y − mean_t p_y)²)

    The population standard deviation, of what the training step itself computed, in train mode.

    Args:
        epochs: how many of the first epochs to look at, at least two; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer, or a run has less than two epochs.

    Example:
        >>> callback = ScoreCallback(examples, scores=["confidence", "variability"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "variability"
    higher_is_harder = True
    fewest_epochs = 2

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.mean, self.squares = np.zeros(len(examples)), np.zeros(len(examples))

    def observe(self, signal):
        return signal.label_probability

    def update(self, values, rows=slice(None)):
        super().update(values, rows)
        # Welford: no difference of large sums.
        before = values - self.mean[rows]
        self.mean[rows] += before / self.presentations[rows]
        self.squares[rows] += before * (values - self.mean[rows])

    def result(self):
        return np.sqrt(self.squares / self.presentations).astype("float32")


class Correctness(MeanOverEpochs):
    """Correctness: the part of training in which the example was predicted right; low is hard.

    Formula:
        correctness = 1/T · Σ_t [argmax z = y]

    Of the predictions that the training step itself made, in train mode.

    Args:
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["correctness"])

    Reference:
        Swayamdipta et al., Dataset Cartography, 2020, section 2.1 (arXiv 2009.10795).
    """

    name = "correctness"
    higher_is_harder = False

    def observe(self, signal):
        return signal.correct
