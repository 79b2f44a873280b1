"""The policy whose kept examples represent all others best."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING
from keras_pruning.selection.greedy import PreparedVectors, random_maximum
from keras_pruning.selection.policy import Policy

# Bytes of similarities that are computed at a time.
_BLOCK = 2**25
# Bytes of remembered similarities, and of the rows that they belong to.
_REMEMBERED = 2**29
# Most candidates whose gain is computed at a time in the lazy steps.
_LAZY = 256
# The rounding error of a gain, in units of the precision of the vectors.
_EPSILONS = 8


class FacilityLocation(Policy):
    """Keeps the example that makes all examples most similar to their nearest kept one, repeatedly.

    Formula:
        maximise Σ_i max over the kept j of max(cos(h_i, h_j), 0)

    Greedy steps reach at least 1 − 1/e of the largest possible sum. A gain never grows, so that
    most gains of earlier steps serve as bounds (lazy greedy). The first steps take a few times as
    long as the products of all pairs of examples. Memory is proportional to the examples, with at
    most half a gigabyte of remembered similarities besides.

    Reference:
        Mirzasoleiman et al., Coresets for Data-efficient Training of Machine Learning Models, 2020,
        section 3 (arXiv 1906.01827); Minoux, Accelerated Greedy Algorithms, 1978.
    """

    name = "facility_location"
    needs = (EMBEDDING,)

    def choose(self, candidates, count, rng):
        chosen = np.empty(count, np.intp)
        if not count:
            return chosen
        gains = _Gains(PreparedVectors(candidates.embedding, unit=True))
        everyone = np.arange(len(candidates.embedding))
        keys = rng.random(len(everyone))
        # Bounds of all gains: those of an earlier step
        bounds = gains.of(everyone)
        # Below this, all gains are rounding errors
        lowest = gains.precision * bounds.max()
        for place in range(count):
            if bounds.max() <= lowest:
                row = random_maximum(bounds, keys, lowest)
            else:
                row = _next(gains, bounds, keys)
            chosen[place] = row
            bounds[row] = -np.inf
            gains.keep(row)
        return chosen


def _next(gains, bounds, keys):
    """Returns the row of the largest gain, and of equal ones a random one. Lowers the bounds."""
    fresh = np.zeros(len(bounds), bool)
    rows, size = np.array([bounds.argmax()]), 1
    while True:
        bounds[rows] = gains.of(rows)
        fresh[rows] = True
        largest = bounds[fresh].max()
        tolerance = gains.precision * largest
        # Only a bound within rounding of the largest gain or above it may hide a larger one
        rows = np.flatnonzero((bounds >= largest - tolerance) & ~fresh)
        if not len(rows):
            return random_maximum(np.where(fresh, bounds, -np.inf), keys, tolerance)
        size = min(2 * size, _LAZY)
        if len(rows) > size:
            rows = rows[np.argpartition(-bounds[rows], size - 1)[:size]]


class _Gains:
    """The growth of the sum of similarities with each example, as the kept examples become more.

    An example adds only to those that are more similar to it than to any kept one. As these become
    fewer with each kept example, they are remembered once they are few, and no others are looked at
    again.
    """

    def __init__(self, vectors):
        self._vectors = vectors
        # The similarity of each example to its nearest kept one
        self._nearest = np.zeros(len(vectors), vectors.dtype)
        # By row: its similarity to each example that it adds to, and the rows of these
        self._remembered = {}
        pairs = _REMEMBERED // (self._nearest.itemsize + np.dtype(np.int32).itemsize)
        self._few = pairs // len(vectors)
        self._everyone = np.arange(len(vectors), dtype=np.int32)
        self.precision = _EPSILONS * np.finfo(vectors.dtype).eps

    def of(self, rows):
        """Returns the gain of each of some examples, float64."""
        gains = np.empty(len(rows))
        known = np.fromiter((row in self._remembered for row in rows), bool, len(rows))
        gains[known] = [self._gain(row, *self._remembered[row]) for row in rows[known]]
        unknown = np.flatnonzero(~known)
        step = max(1, _BLOCK // (len(self._everyone) * self._nearest.itemsize))
        for start in range(0, len(unknown), step):
            places = unknown[start : start + step]
            products = self._similarities(rows[places])
            gains[places] = [
                self._gain(row, similarities)
                for row, similarities in zip(rows[places], products, strict=True)
            ]
        return gains

    def keep(self, row):
        """Adds an example to the kept ones."""
        if row in self._remembered:
            similarities, others = self._remembered.pop(row)
            self._nearest[others] = np.maximum(self._nearest[others], similarities)
        else:
            products = self._vectors.products(self._vectors[row])
            np.maximum(self._nearest, products, out=self._nearest)

    def _similarities(self, rows):
        """Returns the similarities of some examples to all, `(rows, examples)`."""
        similarities = np.empty((len(rows), len(self._everyone)), self._nearest.dtype)
        chosen = self._vectors[rows]
        for block, members in self._vectors.blocks():
            np.matmul(chosen, members.T, out=similarities[:, block])
        return similarities

    def _gain(self, row, similarities, others=slice(None)):
        """Returns the gain of an example, and remembers the others that it adds to if few."""
        growth = similarities - self._nearest[others]
        adds = growth > 0
        if np.count_nonzero(adds) <= self._few:
            places = np.flatnonzero(adds)
            self._remembered[row] = similarities[places], self._everyone[others][places]
        return np.maximum(growth, 0, out=growth).sum(dtype=np.float64)
