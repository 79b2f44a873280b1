"""The policy that keeps a window of the ranking."""

from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import ranked
from keras_pruning.selection.skipping import Skipped


class Middle(Policy):
    """Keeps a window of the ranking by difficulty.

    Args:
        offset: float in [0, 1), the fraction of the examples that is skipped as the hardest. The
            window begins behind it. Defaults to `None`, a window in the middle of the ranking.

    Raises:
        InputError: if `offset` is invalid.

    Reference:
        Paul et al., Deep Learning on a Data Diet, 2021, section 4 (arXiv 2107.07075).
    """

    name = "middle"

    def __init__(self, offset=None):
        self.offset = None if offset is None else Skipped("offset", offset).fraction

    def require_keep_fraction(self, keep_fraction):
        if self.offset is not None:
            Skipped("offset", self.offset).require_keep_fraction(self.name, keep_fraction)

    def shortlist(self, candidates, count, rng):
        if self.offset is None:
            return None
        return Skipped("offset", self.offset).others(candidates.difficulty, count, rng)

    def choose(self, candidates, count, rng):
        # Behind an offset, the hardest of the shortlist are the window
        first = 0 if self.offset is not None else (len(candidates) - count) // 2
        return ranked(candidates.difficulty, first, first + count, rng)
