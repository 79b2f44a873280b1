"""RS2: a fresh random part of the examples in each epoch."""

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.examples.fractions import keep_count
from keras_pruning.training.dynamic.pruning import DynamicPruning


class RS2(DynamicPruning):
    """Repeated sampling of random subsets, without replacement.

    The parts of the epochs are cut from one random permutation of the examples until it is used
    up, and then from the next. So the numbers of times that two examples have come never differ by
    more than one, and no part has an example twice.

    Args:
        examples, epochs, seed: as for every method (`DynamicPruning`).
        f: fraction of the examples in an epoch, in (0, 1].
        **common: `loss`, `backup_dir` and `log_dir`, as for every method.

    Reference:
        Okanovic et al., Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning,
        2024 (arXiv 2305.18424).
    """

    name = "rs2"
    is_baseline = True

    def __init__(self, examples, epochs, seed=0, f=0.5, **common):
        super().__init__(examples, epochs, seed, **common)
        self.f = require_fraction(f, "f")
        self._size = keep_count(self.f, len(examples), "f")
        self._latest = None

    def choose(self, epoch, losses, rng):
        total = len(losses)
        cycle, start = divmod(epoch * self._size, total)
        part = self._permutation(cycle)[start : start + self._size]
        # A part that goes over the end takes the beginning of the next permutation
        missing = self._size - len(part)
        return np.concatenate([part, self._permutation(cycle + 1)[:missing]]) if missing else part

    def _permutation(self, cycle):
        """Returns the permutation of a cycle, int64 `(examples,)`.

        It begins with examples that the last part of the permutation before it does not have.
        """
        # Each depends on the one before. The latest is kept for the next epochs.
        number, latest = self._latest or (-1, None)
        if number > cycle:
            number, latest = -1, None
        while number < cycle:
            number += 1
            drawn = np.random.default_rng([self.seed, number, 1]).permutation(len(self.examples))
            # Number of examples that the part over the boundary has from the permutation before
            rest = number * len(drawn) % self._size
            if rest:
                used = np.isin(drawn, latest[-rest:])
                fresh = np.flatnonzero(~used)[: self._size - rest]
                drawn = np.concatenate([drawn[fresh], np.delete(drawn, fresh)])
            latest = drawn
            self._latest = number, latest
        return latest
