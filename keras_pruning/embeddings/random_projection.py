"""A random projection that takes no matrix: distances stay, up to a known error."""

import numpy as np
from keras import ops


def random_projection(vectors, dimensions, seed=0):
    """Fewer dimensions in which squared distances stay the same in expectation.

    Formula:
        y_j = Σ ± x_i over the i in group j

    Each coordinate gets a random sign and goes into one of `dimensions` groups, all of the same
    size up to one, drawn at random. The variance of a squared distance is at most 2 d⁴ / dimensions
    for a distance d, as with a matrix of independent Gaussians; but time and memory are those of
    the vectors themselves, however wide they are.

    Args:
        vectors: float32 tensor `(batch, width)`, of a known width above `dimensions`.
        dimensions: integer.
        seed: integer >= 0; the same seed, width and `dimensions` give the same projection.

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
    # Every group has as many places; the last ones without a coordinate read a zero.
    places = -(-width // dimensions) * dimensions
    order = np.concatenate([rng.permutation(width), np.full(places - width, width)])
    padded = ops.pad(ops.transpose(vectors * signs), [[0, 1], [0, 0]])
    groups = ops.reshape(ops.take(padded, order, axis=0), (-1, dimensions, ops.shape(vectors)[0]))
    return ops.transpose(ops.sum(groups, axis=0))
