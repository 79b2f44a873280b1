"""The quota that keeps the shares of the classes."""

from keras_pruning.selection.quotas.quota import SIZES, Quota
from keras_pruning.selection.quotas.shares import shares


class Proportional(Quota):
    """Keeps of every class its share in the data, by largest remainder."""

    name = "proportional"
    needs = (SIZES,)

    def counts(self, available, total, rng, sizes):
        return shares(sizes, available, total, rng)
