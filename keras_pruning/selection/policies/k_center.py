"""The policy that covers the embedding with the smallest radius."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING
from keras_pruning.selection.greedy import PreparedVectors, random_maximum
from keras_pruning.selection.policy import Policy


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
        chosen = np.empty(count, np.intp)
        if not count:
            return chosen
        vectors, keys = PreparedVectors(candidates.embedding), rng.random(len(candidates))
        squares = vectors.squares()
        tolerance = 8 * np.finfo(vectors.dtype).eps * squares.max()
        # The squared distance of each example to its nearest kept one
        nearest = np.full(len(candidates), np.inf)
        row = rng.integers(len(candidates))
        for place in range(count):
            chosen[place] = row
            distances = squares - 2 * vectors.products(vectors[row]) + squares[row]
            np.minimum(nearest, distances, out=nearest)
            # A kept example is never kept again, even if all others are its copies.
            nearest[row] = -np.inf
            row = random_maximum(nearest, keys, tolerance)
        return chosen
