"""Gini impurity: how evenly the prediction is spread over the classes."""

from keras import ops

from keras_pruning.scores.score import OneEpochScore


class Gini(OneEpochScore):
    """Gini impurity of the prediction. The label plays no part.

    Formula:
        gini = 1 − Σ_c p_c²

    Args:
        epoch: epoch to score at the end of, counted from 1; by default the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[Gini()])

    Reference:
        Breiman et al., Classification and Regression Trees, 1984.
    """

    name = "gini"
    higher_is_harder = True

    def observe(self, signal):
        return 1 - ops.sum(signal.probabilities**2, axis=-1)
