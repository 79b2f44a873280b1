"""SeTa: a window that slides from the easy groups of a random draw to the hard ones."""

import numpy as np

from keras_pruning.arguments import require_fraction, require_part, require_positive_integer
from keras_pruning.examples.fractions import keep_count
from keras_pruning.training.dynamic.pruning import DynamicPruning


class SeTa(DynamicPruning):
    """Draws at random, groups the draw by loss and trains on a sliding window of the groups.

    Each epoch draws (1 - r) · N examples, groups them by k-means on their losses into G groups
    from easy to hard, and keeps a window of W = round(w · G) groups that starts at group
    (epoch mod (G - W + 1)). The half of 4.5 groups is rounded to 4, the even number. From epoch
    ⌈δE⌉ on, the whole draw is kept. Losses of fewer than G different values make fewer groups.

    Args:
        examples, epochs, seed: as for every method (`DynamicPruning`).
        r: fraction of the examples that each draw leaves out, in [0, 1).
        groups: number of groups G.
        window: fraction w of the groups to keep, in (0, 1].
        delta: fraction of the run δ after which the whole draw is kept, in [0, 1].
        **common: `loss`, `backup_dir` and `log_dir`, as for every method.

    Reference:
        Scale Efficient Training for Large Datasets, 2025 (arXiv 2503.13385).
    """

    name = "seta"

    def __init__(
        self,
        examples,
        epochs,
        seed=0,
        r=0.1,
        groups=5,
        window=0.9,
        delta=0.875,
        **common,
    ):
        super().__init__(examples, epochs, seed, **common)
        self.r, self.delta = require_part(r, "r"), require_part(delta, "delta", below_one=False)
        self.groups = require_positive_integer("groups", groups, or_none=False)
        self.window = require_fraction(window, "window")
        self._size = keep_count(1 - self.r, len(examples), "1 - r")

    def choose(self, epoch, losses, rng):
        seen = np.isfinite(losses)
        if epoch == 0 or not seen.any():
            return np.arange(len(losses))
        drawn = rng.choice(len(losses), self._size, replace=False)
        if epoch >= self.annealing_epoch(self.delta):
            return drawn
        # An example that has not been seen counts as hard
        known = np.where(seen, losses, losses[seen].max())[drawn]
        group, count = easy_to_hard(known, self.groups, rng)
        width = max(1, round(self.window * count))
        first = epoch % (count - width + 1)
        return drawn[(group >= first) & (group < first + width)]


def easy_to_hard(losses, groups, rng):
    """Groups losses by k-means.

    Args:
        losses: finite floats `(examples,)`.
        groups: number of groups.
        rng: `numpy.random.Generator`.

    Returns:
        Tuple of the group of each example, integers `(examples,)` from 0, the easiest, upwards, and
        the number of groups, which is that of different losses if these are fewer.
    """
    from sklearn.cluster import KMeans

    values = losses.astype(np.float64)[:, None]
    count = min(groups, len(np.unique(losses)))
    state = int(rng.integers(2**31))
    fitted = KMeans(count, n_init=1, random_state=state).fit(values)
    # The numbers of the groups by ascending center
    numbers = np.argsort(np.argsort(fitted.cluster_centers_[:, 0]))
    return numbers[fitted.labels_], count
