"""All examples in each epoch, and fewer epochs: a baseline of everything dynamic."""

import math

from keras_pruning.arguments import require_fraction
from keras_pruning.examples.fractions import rounded_count
from keras_pruning.training.dynamic.pruning import DynamicPruning, whole


class Shortened(DynamicPruning):
    """Trains on all examples for f · E epochs, and prunes nothing.

    A method that does not beat this at the same number of examples seen has saved nothing: a
    shorter schedule would have saved as much. The last epoch trains on a random part of the
    examples if f · E is not an integer. `fit` takes `epochs=pruning.fit_epochs`.

    Args:
        examples, epochs, seed: as for every method (`DynamicPruning`).
        f: fraction of the run to train for, in (0, 1].
        **common: `loss`, `backup_dir` and `log_dir`, as for every method.
    """

    name = "shortened"
    is_baseline = True

    def __init__(self, examples, epochs, seed=0, f=0.5, **common):
        super().__init__(examples, epochs, seed, **common)
        self.f = require_fraction(f, "f")

    @property
    def _length(self):
        """Length of the run in epochs, a float."""
        return whole(self.f * self.epochs)

    @property
    def fit_epochs(self):
        return math.ceil(self._length)

    def share(self, epoch):
        return min(1.0, epoch / self._length)

    def choose(self, epoch, losses, rng):
        part = min(1.0, self._length - epoch)
        count = max(1, rounded_count(part, len(losses)))
        return rng.permutation(len(losses))[:count]
