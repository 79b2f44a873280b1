"""The policy that draws at random."""

from keras_pruning.selection.policy import Policy


class Random(Policy):
    """Keeps examples drawn uniformly without replacement.

    It is the baseline of every comparison.
    """

    name = "random"
    needs = ()

    def choose(self, candidates, count, rng):
        return rng.permutation(len(candidates))[:count]
