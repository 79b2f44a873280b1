"""DUAL: difficulty and uncertainty of the label's probability early in training."""

from keras_pruning.examples.fractions import rounded_count
from keras_pruning.scores.windows import WindowMean


class DUAL(WindowMean):
    """DUAL: spread of the label's probability within windows, times what it lacks of certainty.

    Formula:
        DUAL = mean over the sliding windows of J epochs of std_J(p_y) · (1 − mean_J(p_y))

    The sample standard deviation (divided by J − 1), of what the training step itself computed, in
    train mode, early in training.

    Args:
        window: number of epochs J in a window, at least two; by default 10, or all that the score
            looks at where they are fewer.
        epochs: how many of the first epochs to look at; by default the first 30 % of the run, and
            at least one window.

    Raises:
        InputError: if an argument is no positive integer, or a run is shorter than a window.

    Example:
        >>> callback = ScoreCallback(examples, scores=[DUAL(window=10, epochs=30)])

    Reference:
        Cho et al., Lightweight Dataset Pruning without Full Training via Example Difficulty and
        Prediction Uncertainty, 2025, section 3 (arXiv 2502.06905).
    """

    name = "dual"
    higher_is_harder = True

    def default_epochs(self, epochs):
        return min(epochs, max(self.window or 10, rounded_count(0.3, epochs)))

    def of_windows(self, windows):
        return windows.std(axis=0, ddof=1) * (1 - windows.mean(axis=0))
