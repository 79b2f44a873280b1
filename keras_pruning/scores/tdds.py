"""TDDS: how unevenly the prediction moves within windows of epochs."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.scores.windows import SlidingWindow, WindowedScore


def prediction_change(later, earlier):
    """Σ_c |p'_c log(p'_c / p_c)| of each example, from the prediction p of one epoch to the next.

    Args:
        later: logarithms of the probabilities p', finite floats `(batch, classes)`.
        earlier: logarithms of the probabilities p, of the same shape.

    Returns:
        Floats `(batch,)`.
    """
    return np.abs(np.exp(later) * (later - earlier)).sum(axis=-1)


class TDDS(WindowedScore):
    """Temporal dual-depth scoring: the unevenness of the prediction's change in sliding windows.

    Formula:
        KD_t = Σ_c |p_{t+1,c} log(p_{t+1,c} / p_{t,c})|
        R_k = ‖KD − mean KD‖₂ over the J − 1 changes within window k of J epochs, k = 0 … T − J
        TDDS = Σ_k β (1 − β)^{T − J − k} R_k

    The newest window weighs most. Of the probabilities that the training step itself computed, in
    train mode; this score keeps C numbers for each example, where the others keep a few.

    Args:
        window: number of epochs J in a window, at least three for a spread; by default 10, or all
            that the score looks at where they are fewer.
        epochs: how many of the first epochs to look at; by default all.
        decay: β in (0, 1].

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
        super().__init__(window, epochs)
        if isinstance(decay, bool) or not isinstance(decay, int | float) or not 0 < decay <= 1:
            raise InputError(
                f"Invalid `decay`. Expected a float in (0, 1]. Received: decay={decay!r}"
            )
        self.decay = decay

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.before = np.zeros((len(examples), examples.num_classes), np.float32)
        self.changes = SlidingWindow(self.length - 1, len(examples))
        self.total = np.zeros(len(examples))

    def observe(self, signal):
        return signal.log_probabilities

    def update(self, values, rows=slice(None)):
        again = self.presentations[rows] > 0
        super().update(values, rows)
        rows = np.arange(len(self.total))[rows]
        change = prediction_change(values[again], self.before[rows[again]])
        self.before[rows] = values
        full, windows = self.changes.append(change, rows[again])
        spread = np.linalg.norm(windows - windows.mean(axis=0), axis=0)
        self.total[full] = self.total[full] * (1 - self.decay) + self.decay * spread

    def result(self):
        return self.total.astype("float32")
