"""Pairs of vectors within a cosine distance: fast cosines in float32, and a recheck in float64.

The float32 cosine of two unit vectors has a proven bound on its error. Only pairs whose cosine lies
within this bound of the threshold are compared again, by the difference of the vectors in float64.
"""

import numpy as np
import tensorflow as tf

# Most vectors in a tile, and dimensions that are summed at a time.
TILE = 1024
_SLICE = 512
# Distances that differ by no more count as equal. A vector of float32 times 3, say, has the same
# direction only up to rounding, which is a distance of about 1e-15.
_RELATIVE, _ABSOLUTE = 1e-12, 1e-14


class UnitVectors:
    """Vectors scaled to unit length, without a copy of all of them.

    A zero vector has no direction. It becomes a unit vector in a dimension of its own, so that it
    is near to other zero vectors only.

    Args:
        vectors: finite numbers `(vectors, dimensions)`, an array or a memory map.
        zero_dimension: whether that dimension is appended.
    """

    def __init__(self, vectors, zero_dimension):
        self.vectors, self.zero_dimension = vectors, zero_dimension

    def __len__(self):
        return len(self.vectors)

    def exact(self, rows):
        """Returns the unit vectors at `rows`, float64 `(rows, dimensions)`."""
        block = np.array(self.vectors[rows], np.float64)
        # Divide by the largest entry first, because squares of extreme numbers leave float64.
        largest = np.abs(block).max(axis=1, keepdims=True)
        is_zero = largest == 0
        block /= np.where(is_zero, 1, largest)
        block /= np.where(is_zero, 1, np.linalg.norm(block, axis=1, keepdims=True))
        return np.concatenate([block, is_zero], axis=1) if self.zero_dimension else block

    def tile(self, rows):
        """Returns the unit vectors at `rows`, a float32 tensor."""
        return tf.constant(self.exact(rows).astype(np.float32))


class ClosePairs:
    """A search for the pairs of two tiles of `UnitVectors` whose cosine distance is small.

    Args:
        width: number of dimensions of the unit vectors.
        threshold: largest 1 − cos of a near pair.
        memory_limit: number of bytes for the vectors of a recheck.
    """

    def __init__(self, width, threshold, memory_limit):
        self.limit = threshold * (1 + _RELATIVE) + _ABSOLUTE
        # A sum of n products of float32 has an error of at most n units of 2^-24, in any order.
        units = min(width, _SLICE) + -(-width // _SLICE) + 6
        error = units * 2.0**-24
        self.bounds = tf.constant([1 - threshold - error, 1 - threshold + error], tf.float32)
        self.block = max(1, memory_limit // (64 * width))

    def __call__(self, first, second, is_open, is_kept, first_groups, second_groups):
        """Finds the pairs that may be near and that matter.

        A pair matters if its groups differ, or if its first vector is open and its second kept.

        Args:
            first, second: tensors of `UnitVectors.tile`.
            is_open, is_kept: booleans, one for each vector of the first and of the second tile.
            first_groups, second_groups: integers, one for each vector of the tiles.

        Returns:
            Tuple of positions in the first tile, ascending; positions in the second tile, ascending
            for each position in the first; fast cosines; and booleans, true for a pair that is near
            whatever the rounding. A pair without it needs `are_near`.
        """
        arguments = first, second, is_open, is_kept, first_groups, second_groups
        tensors = _pairs(*map(tf.convert_to_tensor, arguments), self.bounds)
        pairs, cosines, sure = (tensor.numpy() for tensor in tensors)
        return pairs[:, 0], pairs[:, 1], cosines, sure

    def are_near(self, first, first_rows, second, second_rows):
        """Returns whether pairs of vectors are near, decided in float64.

        Args:
            first, second: `UnitVectors`.
            first_rows, second_rows: integers `(pairs,)`.

        Returns:
            Booleans `(pairs,)`.
        """
        return self.distances(first, first_rows, second, second_rows) <= self.limit

    def distances(self, first, first_rows, second, second_rows):
        """Returns 1 − cos of pairs of vectors, float64 `(pairs,)`, as for `are_near`.

        It is half of the squared distance of the unit vectors, which loses no digits.
        """
        distances = np.empty(len(first_rows))
        for start in range(0, len(distances), self.block):
            part = slice(start, start + self.block)
            differences = first.exact(first_rows[part]) - second.exact(second_rows[part])
            distances[part] = np.einsum("ij,ij->i", differences, differences) / 2
        return distances


@tf.function(reduce_retracing=True)
def _pairs(first, second, is_open, is_kept, first_groups, second_groups, bounds):
    """Returns pairs of positions, their cosines, and whether these are above both bounds."""
    cosines = tf.zeros((tf.shape(first)[0], tf.shape(second)[0]))
    # Short sums keep the bound on the rounding error small.
    for start in tf.range(0, tf.shape(first)[1], _SLICE):
        end = start + _SLICE
        cosines += tf.matmul(first[:, start:end], second[:, start:end], transpose_b=True)
    near = cosines >= bounds[0]
    matters = is_open[:, tf.newaxis] & is_kept
    matters |= first_groups[:, tf.newaxis] != second_groups
    pairs = tf.where(near & matters)
    chosen = tf.gather_nd(cosines, pairs)
    return pairs, chosen, chosen >= bounds[1]
