"""Reduces vectors to their first principal components."""

import numpy as np

# Most dimensions of the vectors whose covariances are computed.
_WIDTH = 512
# Vectors that are summed at a time.
_BLOCK = 256


def grouped(vectors):
    """Returns arrays as vectors, wide ones summed in 512 random groups.

    Each coordinate gets a random sign and goes into one group, as in
    `keras_pruning.embeddings.random_projection`, which takes tensors. Distances keep their
    expectation.

    Args:
        vectors: numbers `(examples, ...)`.

    Returns:
        Float32 `(examples, dimensions)`, at most 512 dimensions.
    """
    vectors = np.reshape(vectors, (len(vectors), -1))
    width = vectors.shape[1]
    if width <= _WIDTH:
        return vectors.astype(np.float32)
    rng = np.random.default_rng([0, width])
    signs, order = rng.choice(np.float32([-1, 1]), width), rng.permutation(width)
    starts = np.linspace(0, width, _WIDTH, endpoint=False).astype(int)
    # Block by block, because the floats of all would take several times the memory of the bytes
    blocks = [vectors[start : start + _BLOCK] for start in range(0, len(vectors), _BLOCK)]
    sums = [np.add.reduceat((block * signs)[:, order], starts, axis=1) for block in blocks]
    return np.concatenate(sums).astype(np.float32)


def principal_components(vectors, dimensions):
    """Returns the coordinates of vectors along the directions in which they vary most.

    Args:
        vectors: floats `(examples, width)`.
        dimensions: most dimensions of the result.

    Returns:
        Float32 `(examples, min(dimensions, width))`, the direction of the largest variance first.
        The largest weight of each direction is positive.
    """
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    directions = directions[:, ::-1][:, :dimensions]
    # Either sign of a direction would do, so one is fixed.
    largest = np.abs(directions).argmax(axis=0)
    directions *= np.sign(directions[largest, np.arange(directions.shape[1])])
    return (centred @ directions).astype(np.float32)
