"""Reduces vectors to their first principal components."""

import numpy as np

# Most dimensions of the vectors whose covariances are computed.
_WIDTH = 512


def grouped(blocks):
    """Returns blocks of arrays as vectors, wide ones summed in 512 random groups.

    Each coordinate gets a random sign and goes into one group, as in
    `keras_pruning.embeddings.random_projection`, which takes tensors. Distances keep their
    expectation.

    Args:
        blocks: iterable of numbers `(block, ...)`.

    Returns:
        Float32 `(examples, dimensions)`, at most 512 dimensions.
    """
    return np.concatenate([_grouped(np.reshape(block, (len(block), -1))) for block in blocks])


def _grouped(vectors):
    vectors = np.asarray(vectors, np.float32)
    width = vectors.shape[1]
    if width <= _WIDTH:
        return vectors
    rng = np.random.default_rng([0, width])
    signs, order = rng.choice(np.float32([-1, 1]), width), rng.permutation(width)
    starts = np.linspace(0, width, _WIDTH, endpoint=False).astype(int)
    return np.add.reduceat((vectors * signs)[:, order], starts, axis=1)


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
