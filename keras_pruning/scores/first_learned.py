"""First learned: the epoch from which an example is right until the end."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore


class LastMistake:
    """The number of presentations of each example up to its last wrong prediction.

    Args:
        num_rows: number of examples.
    """

    def __init__(self, num_rows):
        self._last_mistake = np.zeros(num_rows, np.int64)

    def append(self, values, rows, presentations):
        wrong = values < 0.5
        self._last_mistake[rows] = np.where(wrong, presentations, self._last_mistake[rows])

    def result(self, presentations):
        return self._last_mistake


class FirstLearned(EveryEpochScore):
    """The first epoch, counted from 0, from which an example is predicted right until the end.

    Formula:
        first learned = min { t : correct at all t' >= t },  t = 0 … T − 1
        wrong at the last presentation: T

    This equals the number of presentations up to the last mistake. The predictions are those that
    the training step itself made, in train mode.

    Args:
        epochs: how many of the first epochs to look at. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["first_learned"])

    Reference:
        Baldock et al., Deep Learning Through the Lens of Example Difficulty, 2021 (arXiv
        2106.09647). The paper's iteration learned compares predictions with the final prediction
        of the network. This score compares them with the label.
    """

    name = "first_learned"
    higher_is_harder = True
    sees_wrong_labels = True

    def new_summary(self, examples):
        return LastMistake(len(examples))

    def observe(self, signal):
        return signal.correct
