"""The policy that keeps the hardest examples."""

from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import ranked


class Hardest(Policy):
    """Keeps the hardest examples.

    `Easiest` with the same seed keeps exactly the others.
    """

    name = "hardest"
    keeps_hardest = True

    def choose(self, candidates, count, rng):
        return ranked(candidates.difficulty, 0, count, rng)
