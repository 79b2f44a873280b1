"""The policy that keeps the easiest examples."""

from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import hardest_first


class Easiest(Policy):
    """Keeps the easiest examples.

    `Hardest` with the same seed keeps exactly the others.
    """

    name = "easiest"

    def choose(self, candidates, count, rng):
        # Counted from the front: a slice [-count:] would keep everything if count is 0.
        return hardest_first(candidates.difficulty, rng)[len(candidates) - count :]
