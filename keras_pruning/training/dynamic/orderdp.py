"""OrderDP: the examples of the largest loss out of a random draw."""

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.training.dynamic.pruning import DynamicPruning


class OrderDP(DynamicPruning):
    """Draws at random and trains on the examples of the draw with the largest losses.

    Each epoch draws a · N examples and keeps the round(f · N) of them with the largest ℓ. In the
    first epoch no example has a loss, so that they are a random part.

    Args:
        examples, epochs, seed: as for every method (`DynamicPruning`).
        a: fraction of the examples to draw, in (0, 1].
        f: fraction of the examples to train on, in (0, a].
        **common: `loss`, `backup_dir` and `log_dir`, as for every method.

    Reference:
        OrderDP, 2026. The definition is in docs/dynamic.md.
    """

    name = "orderdp"

    def __init__(self, examples, epochs, seed=0, a=0.8, f=0.5, **common):
        super().__init__(examples, epochs, seed, **common)
        self.a, self.f = require_fraction(a, "a"), require_fraction(f, "f")
        if self.f > self.a:
            raise InputError(
                f"Invalid `f`. Expected at most a={self.a}, because the examples are kept out of "
                f"a draw of that fraction. Received: f={self.f}"
            )
        self._drawn = keep_count(self.a, len(examples), "a")
        self._size = keep_count(self.f, len(examples), "f")

    def choose(self, epoch, losses, rng):
        # In random order, so that a stable sort breaks ties at random
        drawn = rng.choice(len(losses), self._drawn, replace=False)
        return drawn[np.argsort(-losses[drawn], kind="stable")[: self._size]]
