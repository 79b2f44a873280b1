"""Distances there are to choose from, and vectors at unit length, which the cosine compares."""

import numpy as np

from keras_pruning.errors import InputError

METRICS = EUCLIDEAN, COSINE = "euclidean", "cosine"


def directions(what, vectors, numbers=None):
    """The vectors at unit length.

    Args:
        what: name of a vector in the message about one that is zero.
        vectors: floats `(vectors, dimensions)`.
        numbers: integers `(vectors,)` to tell them apart there; by default their positions.

    Returns:
        Floats of the same shape.

    Raises:
        InputError: if a vector is zero.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (lengths == 0).any():
        index = int(np.argmax(lengths[:, 0] == 0))
        raise InputError(
            "A zero vector has no direction to compare. Expected vectors of positive length with "
            f"metric='cosine'. Received: zero as the {what} "
            f"{index if numbers is None else numbers[index]}. Take another layer or embedding, or "
            "metric='euclidean'."
        )
    return vectors / lengths
