"""DUAL: difficulty and uncertainty of the label's probability early in training."""

from keras_pruning.scores.score import EveryEpochScore
from keras_pruning.scores.summaries import WindowMean, checked_window


def uncertain_difficulty(windows):
    """Returns std(p_y) · (1 − mean(p_y)) of each window.

    Args:
        windows: floats `(epochs, rows)`, the probabilities of the labels.

    Returns:
        Floats `(rows,)`. The standard deviation is that of a sample.
    """
    return windows.std(axis=0, ddof=1) * (1 - windows.mean(axis=0))


class DUAL(EveryEpochScore):
    """DUAL: how unstable and how low the label's probability is within windows of epochs.

    Formula:
        DUAL = mean over the sliding windows of J epochs of std_J(p_y) · (1 − mean_J(p_y))

    The standard deviation is that of a sample (divided by J − 1). The probabilities are those that
    the training step itself computed, in train mode, early in training.

    Args:
        window: number of epochs J in a window, at least two. Defaults to 10, or to all epochs that
            the score looks at if there are fewer.
        epochs: how many of the first epochs to look at. Defaults to the first 30 % of the run, and
            at least one window.

    Raises:
        InputError: if an argument is not a positive integer, or a run is shorter than a window.

    Example:
        >>> callback = ScoreCallback(examples, scores=[DUAL(window=10, epochs=30)])

    Reference:
        Cho et al., Lightweight Dataset Pruning without Full Training via Example Difficulty and
        Prediction Uncertainty, 2025, section 3 (arXiv 2502.06905).
    """

    name = "dual"
    higher_is_harder = True
    fewest_epochs = 2
    default_fraction = 0.3

    def __init__(self, window=None, epochs=None):
        super().__init__(epochs)
        self.window = checked_window(window, epochs, self.fewest_epochs)

    def new_summary(self, examples):
        return WindowMean(uncertain_difficulty, self.window_length, len(examples))

    def observe(self, signal):
        return signal.label_probability
