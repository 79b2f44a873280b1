"""Dynamic uncertainty: the spread of the label's probability within sliding windows."""

from keras_pruning.scores.windows import WindowMean


class DynamicUncertainty(WindowMean):
    """Dynamic uncertainty: how much the probability of the label moves within windows of epochs.

    Formula:
        U = mean over the sliding windows of J epochs of std_J(p_y)

    The sample standard deviation (divided by J − 1), of what the training step itself computed, in
    train mode.

    Args:
        window: number of epochs J in a window, at least two; by default 10, or the whole run where
            it is shorter.
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if an argument is no positive integer, or a run is shorter than a window.

    Example:
        >>> callback = ScoreCallback(examples, scores=[DynamicUncertainty(window=5)])

    Reference:
        He et al., Large-scale Dataset Pruning with Dynamic Uncertainty, 2023, section 3
        (arXiv 2306.05175).
    """

    name = "dynamic_uncertainty"
    higher_is_harder = True

    def of_windows(self, windows):
        return windows.std(axis=0, ddof=1)
