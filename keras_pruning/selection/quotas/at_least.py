"""The quota that guarantees a number of examples to every class."""

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.selection.quotas.balanced import balanced
from keras_pruning.selection.quotas.quota import PREFERRED, Quota
from keras_pruning.selection.quotas.shares import shares


class AtLeast(Quota):
    """Keeps at least a part of an equal share of every class, the rest as the policy prefers.

    A class below its floor is filled up. The others give it up in proportion to their surplus. If
    every class is above its floor, the counts are those of the policy without a quota.

    Args:
        floor: float in (0, 1], the part of an equal share, rounded up to an example. A class with
            fewer examples keeps all.

    Raises:
        InputError: if `floor` is invalid.

    Reference:
        Sorscher et al., Beyond neural scaling laws, 2022, appendix on class balance
        (arXiv 2206.14486).
    """

    name = "at_least"
    needs = (PREFERRED,)

    def __init__(self, floor=0.5):
        self.floor = require_fraction(floor, "floor")

    def counts(self, available, total, rng, preferred):
        classes = np.count_nonzero(available)
        # Rounded first, because 0.1 · 30 / 3 is 1.0000000000000002 in binary floating point.
        least = np.minimum(np.ceil(round(self.floor * total / classes, 9)), available)
        least = least.astype(np.int64)
        if least.sum() > total:
            return balanced(available, total, rng)
        surplus = np.maximum(preferred - least, 0)
        return least + shares(surplus, available - least, total - least.sum(), rng)
