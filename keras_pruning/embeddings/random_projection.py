"""A random projection without a matrix, which keeps distances up to a known error."""

import numpy as np
from keras import ops


def random_projection(vectors, dimensions, seed=0):
    """Reduces vectors to fewer dimensions. Squared distances keep their expectation.

    Formula:
        y_j = Σ ± x_i over the i in group j

    Each coordinate gets a random sign and goes into one of `dimensions` random groups, whose sizes
    differ by at most one. The variance of a squared distance is at most 2 d⁴ / dimensions for a
    distance d, as with a matrix of independent Gaussians. Time and memory grow with the size of the
    vectors only.

    Args:
        vectors: float32 tensor `(batch, width)` with a known width above `dimensions`.
        dimensions: integer, the number of dimensions of the result.
        seed: integer >= 0. The same seed, width and `dimensions` give the same projection.

    Returns:
        Float32 tensor `(batch, dimensions)`.

    Reference:
        Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009
        (arXiv 0902.2206); Kane and Nelson, Sparser Johnson-Lindenstrauss Transforms, 2014, with
        one non-zero in each column (arXiv 1012.1577).
    """
    width = vectors.shape[1]
    rng = np.random.default_rng([seed, width, dimensions])
    signs = rng.choice(np.float32([-1, 1]), width)
    # Give every group the same number of places. Places without a coordinate read a zero.
    places = -(-width // dimensions) * dimensions
    order = np.concatenate([rng.permutation(width), np.full(places - width, width)])
    # Append the zero, move the coordinates to their groups, and sum each group.
    padded = ops.pad(ops.transpose(vectors * signs), [[0, 1], [0, 0]])
    groups = ops.reshape(ops.take(padded, order, axis=0), (-1, dimensions, ops.shape(vectors)[0]))
    return ops.transpose(ops.sum(groups, axis=0))
