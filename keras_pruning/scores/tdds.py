"""TDDS: how unevenly the prediction moves within windows of epochs."""

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.scores.score import EveryEpochScore
from keras_pruning.scores.summaries import SlidingWindow, checked_window, row_numbers

# Logarithms of probabilities whose change is computed at a time.
_BLOCK = 2**20


def prediction_change(later, earlier):
    """Returns Σ_c |p'_c log(p'_c / p_c)| from the prediction p of one epoch to the next, p'.

    Args:
        later: logarithms of the probabilities p', finite floats `(batch, classes)`.
        earlier: logarithms of the probabilities p, of the same shape.

    Returns:
        Floats `(batch,)`.
    """
    # The paper takes absolute values before the sum, unlike a Kullback-Leibler divergence.
    return np.abs(np.exp(later) * (later - earlier)).sum(axis=-1)


class UnevenChange:
    """The weighted sum over sliding windows of the unevenness of the prediction's changes.

    Args:
        length: number of epochs in a window, one more than its changes.
        decay: weight of the newest window, in (0, 1].
        examples: `Examples` that are about to be scored.
    """

    def __init__(self, length, decay, examples):
        self._decay = decay
        self._latest = np.zeros((len(examples), examples.num_classes), np.float32)
        self._changes = SlidingWindow(length - 1, len(examples))
        self._total = np.zeros(len(examples))

    def append(self, values, rows, presentations):
        rows = row_numbers(rows, len(self._total))
        step = max(1, _BLOCK // values.shape[1])
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            self._append(values[part], rows[part], presentations[part])

    def _append(self, values, rows, presentations):
        # The first prediction of an example is no change.
        again = presentations > 1
        change = prediction_change(values[again], self._latest[rows[again]])
        self._latest[rows] = values
        # Every older window loses weight when the window slides.
        full, windows = self._changes.append(change, rows[again])
        spread = np.linalg.norm(windows - windows.mean(axis=0), axis=0)
        self._total[full] = self._total[full] * (1 - self._decay) + self._decay * spread

    def result(self, presentations):
        return self._total


class TDDS(EveryEpochScore):
    """Temporal dual-depth scoring: the unevenness of the prediction's change in sliding windows.

    Formula:
        KD_t = Σ_c |p_{t+1,c} log(p_{t+1,c} / p_{t,c})|
        R_k = ‖KD − mean KD‖₂ over the J − 1 changes within window k of J epochs, k = 0 … T − J
        TDDS = Σ_k β (1 − β)^{T − J − k} R_k

    The newest window weighs most. The probabilities are those that the training step itself
    computed, in train mode. This score keeps C numbers for each example, and its driver C more.
    The others keep a few.

    Args:
        window: number of epochs J in a window, at least three for a spread. Defaults to 10, or to
            all epochs that the score looks at if there are fewer.
        epochs: how many of the first epochs to look at. Defaults to all.
        decay: β, a float in (0, 1]. Defaults to 0.9.

    Raises:
        InputError: if an argument is invalid, or a run is shorter than a window or three epochs.

    Example:
        >>> callback = ScoreCallback(examples, scores=[TDDS(window=5)])

    Reference:
        Zhang et al., Spanning Training Progress: Temporal Dual-Depth Scoring (TDDS) for Enhanced
        Dataset Pruning, 2024, section 3 (arXiv 2311.13613).
    """

    name = "tdds"
    higher_is_harder = True
    fewest_epochs = 3

    def __init__(self, window=None, epochs=None, decay=0.9):
        super().__init__(epochs)
        self.window = checked_window(window, epochs, self.fewest_epochs)
        self.decay = require_fraction(decay, "decay")

    def new_summary(self, examples):
        return UnevenChange(self.window_length, self.decay, examples)

    def observe(self, signal):
        return signal.log_probabilities
