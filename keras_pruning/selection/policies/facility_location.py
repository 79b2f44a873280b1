"""The policy whose kept examples represent all others best."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING
from keras_pruning.selection.greedy import PreparedVectors, random_maximum
from keras_pruning.selection.policy import Policy

# Bytes of similarities that are computed at a time.
_BLOCK = 2**26
# Most candidates whose gain is computed at a time in the lazy steps.
_LAZY = 64
# The rounding error of a gain, in units of the precision of the vectors.
_EPSILONS = 8


class FacilityLocation(Policy):
    """Keeps the example that makes all examples most similar to their nearest kept one, repeatedly.

    Formula:
        maximise Σ_i max over the kept j of max(cos(h_i, h_j), 0)

    Greedy steps reach at least 1 − 1/e of the largest possible sum. A gain never grows, so that
    most gains of earlier steps serve as bounds (lazy greedy). The first step takes as long as all
    pairs of examples. Memory is proportional to the examples.

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
        vectors = PreparedVectors(candidates.embedding, unit=True)
        keys = rng.random(len(vectors))
        # The similarity of each example to its nearest kept one, and bounds of all gains
        nearest = np.zeros(len(vectors), vectors.dtype)
        bounds = _gains(vectors, np.arange(len(vectors)), nearest)
        # Below this, all gains are rounding errors
        lowest = _EPSILONS * np.finfo(vectors.dtype).eps * bounds.max()
        for place in range(count):
            if bounds.max() <= lowest:
                row = random_maximum(bounds, keys, lowest)
            else:
                row = _next(vectors, bounds, nearest, keys)
            chosen[place] = row
            bounds[row] = -np.inf
            np.maximum(nearest, vectors.products(vectors[row]), out=nearest)
        return chosen


def _next(vectors, bounds, nearest, keys):
    """Returns the row of the largest gain, and of equal ones a random one. Lowers the bounds."""
    fresh = np.zeros(len(bounds), bool)
    rows, size = np.array([bounds.argmax()]), 1
    while True:
        bounds[rows] = _gains(vectors, rows, nearest)
        fresh[rows] = True
        largest = bounds[fresh].max()
        tolerance = _EPSILONS * np.finfo(vectors.dtype).eps * largest
        # Only a bound within rounding of the largest gain or above it may hide a larger one
        rows = np.flatnonzero((bounds >= largest - tolerance) & ~fresh)
        if not len(rows):
            return random_maximum(np.where(fresh, bounds, -np.inf), keys, tolerance)
        size = min(2 * size, _LAZY)
        if len(rows) > size:
            rows = rows[np.argpartition(-bounds[rows], size - 1)[:size]]


def _gains(vectors, rows, nearest):
    """Returns the growth of the sum of similarities with each of some examples, float64."""
    gains = np.empty(len(rows))
    step = max(1, _BLOCK // (len(vectors) * vectors.dtype.itemsize))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        gains[part] = 0
        others = vectors[rows[part]].T
        for block, members in vectors.blocks():
            growth = members @ others
            growth -= nearest[block, np.newaxis]
            np.maximum(growth, 0, out=growth)
            gains[part] += growth.sum(axis=0, dtype=np.float64)
    return gains
