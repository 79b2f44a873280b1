"""The policy that covers the embedding with the smallest radius."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING
from keras_pruning.selection.greedy import PreparedVectors, random_maximum, rounding
from keras_pruning.selection.policy import Policy

# Number of examples that are looked at between two products with all of them.
_WATCHED = 2048
# Most examples that are chosen between two such products.
_PENDING = 256


class KCenter(Policy):
    """Keeps the example that is farthest from all kept ones, again and again.

    The first example is drawn at random. The largest distance of an example to its nearest kept
    one is at most twice the smallest possible. Memory is proportional to the examples.

    Reference:
        Sener and Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach,
        2018, algorithm 1 (arXiv 1708.00489).
    """

    name = "k_center"
    needs = (EMBEDDING,)

    def choose(self, candidates, count, rng):
        if not count:
            return np.empty(0, np.intp)
        vectors, keys = PreparedVectors(candidates.embedding), rng.random(len(candidates))
        squares = vectors.squares()
        # The squared distance of each example to its nearest kept one
        nearest = np.full(len(candidates), np.inf)
        chosen, row = [], int(rng.integers(len(candidates)))
        while True:
            limit = min(count - len(chosen), _PENDING)
            pending = _farthest(vectors, squares, nearest, keys, row, limit)
            chosen += pending
            if len(chosen) == count:
                return np.asarray(chosen, np.intp)
            _bring_nearer(vectors, squares, nearest, pending)
            row = random_maximum(nearest, keys, rounding(nearest, squares, vectors.dtype))


def _farthest(vectors, squares, nearest, keys, row, limit):
    """Returns a row and the ones to keep after it, as long as these are certain.

    Distances only shrink. An example among the farthest is certain if it is still farther than any
    other was before the first row was kept.
    """
    if len(nearest) <= 2 or np.isinf(nearest[row]):
        return [row]
    size = min(_WATCHED, len(nearest) // 2)
    order = np.argpartition(-nearest, size)
    watched, others = order[:size], nearest[order[size]]
    members, distances = vectors[watched], nearest[watched]
    pending = [row]
    while len(pending) < limit:
        row = pending[-1]
        products = members @ vectors[row]
        np.minimum(distances, squares[watched] - 2 * products + squares[row], out=distances)
        # A kept example is never kept again, even if all others are its copies.
        distances[watched == row] = -np.inf
        tolerance = rounding(distances, squares[watched], vectors.dtype)
        if distances.max() - tolerance <= others:
            break
        pending.append(int(watched[random_maximum(distances, keys[watched], tolerance)]))
    return pending


def _bring_nearer(vectors, squares, nearest, rows):
    """Lowers the squared distance of every example to its nearest kept one by new kept ones."""
    others = vectors[rows].T
    for part, block in vectors.blocks():
        products = block @ others
        distances = squares[part, np.newaxis] - 2 * products + squares[rows]
        np.minimum(nearest[part], distances.min(axis=1), out=nearest[part])
    nearest[rows] = -np.inf
