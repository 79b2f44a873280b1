"""Dynamic uncertainty: the spread of the label's probability within sliding windows."""

from keras_pruning.scores.score import EveryEpochScore
from keras_pruning.scores.summaries import WindowMean, checked_window


def sample_deviation(windows):
    """Returns the sample standard deviation of each window.

    Args:
        windows: floats `(epochs, rows)`, of at least two epochs.

    Returns:
        Floats `(rows,)`.
    """
    return windows.std(axis=0, ddof=1)


class DynamicUncertainty(EveryEpochScore):
    """Dynamic uncertainty: how much the probability of the label moves within windows of epochs.

    Formula:
        U = mean over the sliding windows of J epochs of std_J(p_y)

    The standard deviation is that of a sample (divided by J − 1). The probabilities are those that
    the training step itself computed, in train mode.

    Args:
        window: number of epochs J in a window, at least two. Defaults to 10, or to all epochs that
            the score looks at if there are fewer.
        epochs: how many of the first epochs to look at. Defaults to all.

    Raises:
        InputError: if an argument is not a positive integer, or a run is shorter than a window.

    Example:
        >>> callback = ScoreCallback(examples, scores=[DynamicUncertainty(window=5)])

    Reference:
        He et al., Large-scale Dataset Pruning with Dynamic Uncertainty, 2023, section 3
        (arXiv 2306.05175).
    """

    name = "dynamic_uncertainty"
    higher_is_harder = True
    fewest_epochs = 2

    def __init__(self, window=None, epochs=None):
        super().__init__(epochs)
        self.window = checked_window(window, epochs, self.fewest_epochs)

    def new_summary(self, examples):
        return WindowMean(sample_deviation, self.window_length, len(examples))

    def observe(self, signal):
        return signal.label_probability
