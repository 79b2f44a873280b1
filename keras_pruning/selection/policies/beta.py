"""The policy that draws by difficulty and confidence (DUAL)."""

import numpy as np

from keras_pruning.arguments import require_positive
from keras_pruning.selection.candidates import CONFIDENCE, DIFFICULTY
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import ranked, require_no_negative

# Confidences of exactly 0 or 1 would have the density zero or infinity.
_MARGIN = 1e-6
# The sum of both parameters of the beta distribution is one more.
_CONCENTRATION = 15
# Examples whose mean confidence places the distribution.
_HARDEST = 10


class Beta(Policy):
    """Draws examples by difficulty, near a confidence that rises as fewer are kept (DUAL).

    Formula:
        weight ∝ Beta(a, b).pdf(confidence) · difficulty, drawn without replacement, with
        b = 15 (1 − μ)(1 − r^c), a = 16 − b, r = 1 − keep_fraction and μ the mean confidence of the
        ten hardest examples

    It reads the score `confidence` of the table beside the difficulty, usually `dual`. With a
    class quota, μ and r are those of the class.

    Args:
        c: positive float, the exponent. A smaller one moves to easier examples earlier.

    Raises:
        InputError: if `c` is not positive. `choose` raises it if a difficulty is negative.

    Reference:
        Cho et al., Lightweight Dataset Pruning without Full Training via Example Difficulty and
        Prediction Uncertainty, 2025, section 4 (arXiv 2502.06905).
    """

    name = "beta"
    needs = (DIFFICULTY, CONFIDENCE)

    def __init__(self, c=4.0):
        self.c = require_positive("c", c, or_none=False)

    def choose(self, candidates, count, rng):
        difficulty = np.asarray(candidates.difficulty, np.float64)
        confidence = np.clip(candidates.confidence, _MARGIN, 1 - _MARGIN, dtype=np.float64)
        require_no_negative(self.name, difficulty)
        if not count:
            return np.empty(0, np.intp)
        mean = confidence[ranked(difficulty, 0, _HARDEST, rng)].mean()
        pruned = 1 - count / len(candidates)
        b = _CONCENTRATION * (1 - mean) * (1 - pruned**self.c)
        a = _CONCENTRATION + 1 - b
        with np.errstate(divide="ignore"):
            weights = np.log(difficulty)
        weights += (a - 1) * np.log(confidence) + (b - 1) * np.log1p(-confidence)
        # The largest sums of a log weight and Gumbel noise are a draw without replacement.
        return ranked(weights + rng.gumbel(size=len(weights)), 0, count, rng)
