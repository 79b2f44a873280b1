"""The policy that keeps examples at a moderate distance from the median of their class."""

import numpy as np

from keras_pruning.selection.candidates import EMBEDDING, LABELS
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import ranked

# Numbers of the embedding that are read at a time.
_BLOCK = 2**24


def median_distances(vectors, labels):
    """Returns the distance of each vector to the median of its class in each dimension.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        labels: integers `(examples,)`.

    Returns:
        Float64 `(examples,)`.
    """
    squares = np.zeros(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        width = max(1, _BLOCK // len(rows))
        for start in range(0, vectors.shape[1], width):
            part = vectors[rows, start : start + width].astype(np.float64)
            squares[rows] += ((part - np.median(part, axis=0)) ** 2).sum(axis=1)
    return np.sqrt(squares)


class Moderate(Policy):
    """Keeps the middle band of the distances to the median of the class (Moderate-DS).

    Reference:
        Xia et al., Moderate Coreset: A Universal Method of Data Selection for Real-world
        Data-efficient Deep Learning, 2023, section 3 (openreview 7D5EECbOaf9).
    """

    name = "moderate"
    needs = (EMBEDDING, LABELS)

    def choose(self, candidates, count, rng):
        distances = median_distances(candidates.embedding, candidates.labels)
        first = (len(candidates) - count) // 2
        return ranked(distances, first, first + count, rng)
