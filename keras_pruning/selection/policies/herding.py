"""The policy whose kept examples have the mean of all."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING
from keras_pruning.selection.greedy import PreparedVectors, random_maximum, rounding
from keras_pruning.selection.policy import Policy


class Herding(Policy):
    """Keeps the example that brings the mean of the kept closest to the mean of all, repeatedly.

    Formula:
        next = argmin over the examples i that are not kept of ‖(h_i + Σ h_kept) / (n + 1) − mean‖,
        n the number of kept examples

    Memory is proportional to the examples.

    Reference:
        Welling, Herding Dynamical Weights to Learn, 2009, section 3; Rebuffi et al., iCaRL, 2017,
        algorithm 4 (arXiv 1611.07725).
    """

    name = "herding"
    needs = (EMBEDDING,)

    def choose(self, candidates, count, rng):
        chosen = np.empty(count, np.intp)
        if not count:
            return chosen
        # Of vectors minus their mean, the kept ones shall sum to zero
        vectors, keys = PreparedVectors(candidates.embedding), rng.random(len(candidates))
        squares = vectors.squares()
        total = np.zeros(vectors.dimensions)
        for place in range(count):
            closeness = -squares - 2 * vectors.products(total)
            closeness[chosen[:place]] = -np.inf
            tolerance = rounding(closeness, squares, vectors.dtype)
            chosen[place] = random_maximum(closeness, keys, tolerance)
            total += vectors[chosen[place]]
        return chosen
