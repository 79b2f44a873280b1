"""The policy that keeps the easiest examples."""

from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import ranked


class Easiest(Policy):
    """Keeps the easiest examples.

    `Hardest` with the same seed keeps exactly the others.
    """

    name = "easiest"

    def choose(self, candidates, count, rng):
        return ranked(candidates.difficulty, len(candidates) - count, len(candidates), rng)
