"""The names of the distances, and vectors of unit length for the cosine distance."""

from numbers import Real

import numpy as np

from keras_pruning.arguments import kind_of
from keras_pruning.errors import InputError

METRICS = EUCLIDEAN, COSINE = "euclidean", "cosine"


def directions(noun, vectors, numbers=None):
    """Scales vectors to unit length.

    Args:
        noun: name of a vector in the error message, for example `"centroid of the cluster"`.
        vectors: floats `(vectors, dimensions)`.
        numbers: integers `(vectors,)`, the number of each vector in the error message. Defaults to
            the positions.

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
            f"metric='cosine'. Received: zero as the {noun} "
            f"{index if numbers is None else numbers[index]}. Use another layer or embedding, or "
            "metric='euclidean'."
        )
    return vectors / lengths


def require_threshold(threshold):
    """Returns `threshold` as a `float`. Raises an `InputError` unless it is in [0, 1)."""
    valid = isinstance(threshold, Real) and not isinstance(threshold, bool) and 0 <= threshold < 1
    if not valid:
        raise InputError(
            "Invalid `threshold`. Expected a number in [0, 1), the largest 1 − cosine of near "
            f"examples. Received: threshold={kind_of(threshold)}"
        )
    return float(threshold)
