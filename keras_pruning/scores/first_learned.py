"""First learned: the epoch from which an example is right until the end."""

import numpy as np

from keras_pruning.scores.score import EveryEpochScore


class FirstLearned(EveryEpochScore):
    """The first epoch, counted from 0, from which an example is predicted right until the end.

    Formula:
        first learned = min { t : correct at all t' >= t },  t = 0 … T − 1
        wrong at the last presentation: T

    Put otherwise, the number of presentations up to the last mistake. Correct is what the training
    step itself predicted, in train mode.

    Args:
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=["first_learned"])

    Reference:
        Baldock et al., Deep Learning Through the Lens of Example Difficulty, 2021 (arXiv
        2106.09647), whose iteration learned holds predictions against the final one of the
        network; here they are held against the label.
    """

    name = "first_learned"
    higher_is_harder = True

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.last_mistake = np.zeros(len(examples), np.int64)

    def observe(self, signal):
        return signal.correct

    def update(self, values, rows=slice(None)):
        super().update(values, rows)
        wrong = values < 0.5
        self.last_mistake[rows] = np.where(wrong, self.presentations[rows], self.last_mistake[rows])

    def result(self):
        return self.last_mistake.astype("float32")
