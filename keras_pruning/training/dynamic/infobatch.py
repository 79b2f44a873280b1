"""InfoBatch: drops a part of the easy examples, and weighs the others of them more."""

import numpy as np

from keras_pruning.arguments import require_part
from keras_pruning.training.dynamic.pruning import DynamicPruning


class InfoBatch(DynamicPruning):
    """Drops examples below the mean loss at random, and weighs those that stay.

    Every example with ℓ_i >= mean ℓ is trained on. Each of the others stays with probability
    1 - r, at the weight 1 / (1 - r), so that gradients are unbiased: in expectation, their sum over
    the epoch is that of all examples. The number that stays is rounded at random, so that the
    weights sum to N but for one weight. From epoch ⌈δE⌉ on, all examples come at weight 1.

    Args:
        examples, epochs, seed: as for every method (`DynamicPruning`).
        r: fraction of the easy examples to drop, in [0, 1).
        delta: fraction of the run δ after which nothing is dropped, in [0, 1].
        **common: `loss`, `backup_dir` and `log_dir`, as for every method.

    Reference:
        Qin et al., InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning, 2024
        (arXiv 2303.04947).
    """

    name = "infobatch"

    def __init__(self, examples, epochs, seed=0, r=0.5, delta=0.875, **common):
        super().__init__(examples, epochs, seed, **common)
        self.r, self.delta = require_part(r, "r"), require_part(delta, "delta", below_one=False)

    def choose(self, epoch, losses, rng):
        seen = np.isfinite(losses)
        if epoch == 0 or epoch >= self.annealing_epoch(self.delta) or not seen.any():
            return np.arange(len(losses))
        # An example that has not been seen counts as hard: its loss is infinite.
        easy = np.flatnonzero(losses < losses[seen].mean(dtype=np.float64))
        count = int(np.floor((1 - self.r) * len(easy) + rng.random()))
        stayed = rng.choice(easy, count, replace=False)
        weights = np.ones(len(losses), np.float32)
        weights[stayed] = 1 / (1 - self.r)
        dropped = np.zeros(len(losses), bool)
        dropped[easy], dropped[stayed] = True, False
        rows = np.flatnonzero(~dropped)
        return rows, weights[rows]
