"""The baseline of every comparison."""

from keras_pruning.selection.policy import Policy


class Random(Policy):
    """Keeps examples drawn uniformly without replacement."""

    name = "random"
    needs_difficulty = False

    def choose(self, difficulty, count, rng):
        return rng.permutation(len(difficulty))[:count]
