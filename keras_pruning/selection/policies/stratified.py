"""The policy that keeps examples of every difficulty but the hardest (CCS)."""

import numpy as np

from keras_pruning.arguments import require_positive_integer
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.skipping import Skipped


def strata(difficulty, count):
    """Returns the stratum of each example: ranges of equal width between the extremes.

    Args:
        difficulty: floats `(examples,)`.
        count: number of strata.

    Returns:
        Integers `(examples,)` below `count`.
    """
    values = np.asarray(difficulty, np.float64)
    low, high = values.min(), values.max()
    # Small integers are sorted without comparisons.
    kind = np.min_scalar_type(count)
    if low == high:
        return np.zeros(len(values), kind)
    return np.minimum((values - low) / (high - low) * count, count - 1).astype(kind)


def budgets(sizes, total, rng):
    """Shares a budget out over strata, the smallest first.

    Each stratum gets an equal share of the rest, or all its examples if these are fewer.

    Args:
        sizes: integers `(strata,)`, at least `total` together.
        total: number of examples to keep.
        rng: `numpy.random.Generator` that orders strata of the same size.

    Returns:
        Integers `(strata,)` that sum to `total`, none above `sizes`.
    """
    counts = np.zeros_like(sizes)
    for done, stratum in enumerate(np.lexsort((rng.random(len(sizes)), sizes))):
        share = (total - counts.sum()) // (len(sizes) - done)
        counts[stratum] = min(sizes[stratum], share)
    return counts


class Stratified(Policy):
    """Skips the hardest examples and keeps as many of each range of difficulty (CCS).

    The other examples are cut into strata of equal width in the score. The budget is shared out
    equally, beginning with the smallest stratum. A stratum that is too small hands its rest on.
    Within a stratum, examples are drawn uniformly. With a class quota, the hardest of all classes
    are skipped together, and each class has its own strata.

    Args:
        beta: float in [0, 1), the fraction of the examples that is skipped as the hardest. At most
            the fraction 1 - `beta` can be kept.
        strata: number of strata.

    Raises:
        InputError: if an option is invalid.

    Reference:
        Zheng et al., Coverage-centric Coreset Selection for High Pruning Rates, 2023, algorithm 1
        (arXiv 2210.15809).
    """

    name = "stratified"

    def __init__(self, beta=0.1, strata=50):
        self.beta = Skipped("beta", beta).fraction
        self.strata = require_positive_integer("strata", strata, or_none=False)

    def require_keep_fraction(self, keep_fraction):
        Skipped("beta", self.beta).require_keep_fraction(self.name, keep_fraction)

    def shortlist(self, candidates, count, rng):
        return Skipped("beta", self.beta).others(candidates.difficulty, count, rng)

    def choose(self, candidates, count, rng):
        members = strata(candidates.difficulty, self.strata)
        sizes = np.bincount(members, minlength=self.strata)
        counts = budgets(sizes, count, rng)
        # The rows of one stratum after another
        rows, ends = np.argsort(members, kind="stable"), np.cumsum(sizes)
        chosen = [
            rows[ends[stratum] - sizes[stratum] + _drawn(sizes[stratum], counts[stratum], rng)]
            for stratum in np.flatnonzero(counts)
        ]
        return np.concatenate([np.empty(0, np.intp), *chosen])


def _drawn(available, count, rng):
    """Returns `count` different integers below `available`, drawn at random."""
    return rng.choice(available, count, replace=False, shuffle=False)
