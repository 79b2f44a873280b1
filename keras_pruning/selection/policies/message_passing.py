"""The policy that balances difficulty and diversity on a graph of neighbours (D2)."""

import heapq
import warnings

import numpy as np

from keras_pruning.arguments import require_not_negative, require_positive_integer
from keras_pruning.selection.candidates import DIFFICULTY, EMBEDDING
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import require_no_negative

# A message this small changes no score that float32 can show.
_LOST = 1e-7


class MessagePassing(Policy):
    """Passes difficulty between neighbours, then keeps the largest one by one (D2).

    Formula:
        s_i' = s_i + Σ_j exp(−γ_f d_ij²) s_j over the k nearest neighbours j of i. Then, again and
        again: keep the largest s_i', and s_j' −= exp(−γ_r d_ij²) s_i' for the neighbours j of i

    Distances are Euclidean, so that both γ depend on the scale of the embedding.

    Args:
        neighbors: number of neighbours k.
        gamma_forward: float >= 0, γ_f. Larger keeps messages nearer.
        gamma_reverse: float >= 0, γ_r. Larger lowers fewer neighbours of a kept example.

    Raises:
        InputError: if an option is invalid. `choose` raises it if a difficulty is negative.

    Reference:
        Maharana et al., D2 Pruning: Message Passing for Balancing Diversity and Difficulty in Data
        Pruning, 2024, section 3 (arXiv 2310.07931).
    """

    name = "message_passing"
    needs = (DIFFICULTY, EMBEDDING)

    def __init__(self, neighbors=10, gamma_forward=1.0, gamma_reverse=1.0):
        self.neighbors = require_positive_integer("neighbors", neighbors, or_none=False)
        self.gamma_forward = require_not_negative("gamma_forward", gamma_forward)
        self.gamma_reverse = require_not_negative("gamma_reverse", gamma_reverse)

    def choose(self, candidates, count, rng):
        difficulty = np.asarray(candidates.difficulty, np.float64)
        require_no_negative(self.name, difficulty)
        rows, squares = self._neighbors(candidates, rng)
        self._warn_of_lost_messages(squares)
        messages = np.exp(-self.gamma_forward * squares) * difficulty[rows]
        return self._largest(
            difficulty + messages.sum(axis=1),
            rows,
            np.exp(-self.gamma_reverse * squares),
            count,
            rng,
        )

    def _neighbors(self, candidates, rng):
        """Returns the rows of the nearest neighbours and the squared distances to them."""
        # Imported here, because TensorFlow would slow down policies that do not need it.
        from keras_pruning.embeddings.neighbors import nearest

        k = min(self.neighbors, len(candidates) - 1)
        if k < 1:
            return np.zeros((len(candidates), 0), np.intp), np.zeros((len(candidates), 0))
        vectors, places = candidates.embedding, np.arange(len(candidates))
        seed = int(rng.integers(2**31))
        rows, distances = nearest(vectors, vectors, k, exclude=places, seed=seed)
        return rows, distances.astype(np.float64) ** 2

    def _warn_of_lost_messages(self, squares):
        gamma = min(self.gamma_forward, self.gamma_reverse)
        if squares.size and np.exp(-gamma * np.median(squares[:, 0])) < _LOST:
            warnings.warn(
                f"No message arrives in the policy {self.name!r}, which keeps the hardest then. "
                "Expected neighbours at distances of about 1. Received: nearest neighbours at a "
                f"median distance of {np.sqrt(np.median(squares[:, 0])):.3g}. Scale the embedding "
                "down, for example to vectors of length 1, or set smaller values of gamma.",
                UserWarning,
                stacklevel=2,
            )

    @staticmethod
    def _largest(scores, rows, weights, count, rng):
        """Returns the positions of the largest scores, each lowering those of its neighbours."""
        keys, is_chosen = rng.random(len(scores)), np.zeros(len(scores), bool)
        # Each score is at most the largest of its entries. A random key breaks ties.
        heap = list(zip(-scores, keys, range(len(scores)), strict=True))
        heapq.heapify(heap)
        chosen = []
        while len(chosen) < count:
            bound, key, row = heapq.heappop(heap)
            if not is_chosen[row] and -bound > scores[row]:
                heapq.heappush(heap, (-scores[row], key, row))
            if is_chosen[row] or -bound != scores[row]:
                continue
            chosen.append(row)
            is_chosen[row] = True
            # Every neighbour is another row, so that each changes once.
            scores[rows[row]] -= weights[row] * scores[row]
            if scores[row] < 0:
                # A negative score raises its neighbours
                for other in rows[row][~is_chosen[rows[row]]]:
                    heapq.heappush(heap, (-scores[other], keys[other], int(other)))
        return np.asarray(chosen, np.intp)
