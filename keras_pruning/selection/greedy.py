"""Vectors for greedy policies, which take one product with all of them at each step."""

import numpy as np

from keras_pruning.errors import InputError

# Bytes of prepared vectors that are kept. More are prepared again at each product.
_KEPT = 2**30
# Bytes of vectors that are prepared at a time.
_BLOCK = 2**24


class PreparedVectors:
    """Vectors minus a center, or of unit length, as float32 or, from float64, as float64.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        unit: boolean, whether to scale each vector to unit length in the place of subtracting the
            mean. A vector of zeros stays as it is.
    """

    def __init__(self, vectors, unit=False):
        self._vectors = vectors
        self.dtype = np.result_type(np.float32, vectors.dtype)
        self._rows = max(1, _BLOCK // (vectors.shape[1] * self.dtype.itemsize))
        self._mean = None if unit else self._column_means()
        fits = vectors.size * self.dtype.itemsize <= _KEPT
        self._kept = self._prepared(slice(None)) if fits else None

    def __len__(self):
        return len(self._vectors)

    @property
    def dimensions(self):
        """Number of dimensions."""
        return self._vectors.shape[1]

    def __getitem__(self, rows):
        """Returns prepared vectors at a position, a slice or positions."""
        return self._prepared(rows) if self._kept is None else self._kept[rows]

    def blocks(self):
        """Yields a slice of the rows and its prepared vectors, for all rows in order."""
        for start in range(0, len(self), self._rows):
            part = slice(start, start + self._rows)
            yield part, self[part]

    def products(self, others):
        """Returns the products of all vectors with others.

        Args:
            others: floats `(dimensions,)` or `(dimensions, others)`.

        Returns:
            Floats `(examples,)` or `(examples, others)`.
        """
        others = others.astype(self.dtype, copy=False)
        if self._kept is not None:
            return self._kept @ others
        return np.concatenate([block @ others for _, block in self.blocks()])

    def squares(self):
        """Returns the squared length of each vector, floats `(examples,)`.

        Raises:
            InputError: if one is beyond the largest number.
        """
        with np.errstate(over="ignore"):
            squares = [np.einsum("ij,ij->i", block, block) for _, block in self.blocks()]
        squares = np.concatenate(squares)
        self._require_finite(squares)
        return squares

    def _require_finite(self, squares):
        """Raises an `InputError` if a squared length is beyond the largest number."""
        if not np.isfinite(squares).all():
            raise InputError(
                "The vectors of the embedding are too long. Expected squared lengths that "
                f"{self.dtype} can hold. Received: infinity in row "
                f"{int(np.argmin(np.isfinite(squares)))}. Scale the embedding down."
            )

    def _column_means(self):
        total = np.zeros(self._vectors.shape[1])
        for start in range(0, len(self), self._rows):
            total += self._vectors[start : start + self._rows].sum(axis=0, dtype=np.float64)
        return total / len(self)

    def _prepared(self, rows):
        vectors = np.asarray(self._vectors[rows])
        if self._mean is not None:
            return (vectors - self._mean).astype(self.dtype)
        # In float64, because squares of large float16 numbers are infinite.
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
        return (vectors / np.where(lengths, lengths, 1)).astype(self.dtype)


def rounding(values, squares, dtype):
    """Returns the rounding error of the largest value, computed from squares and products.

    Only the vector of that example counts, because one long vector must not blur all others.

    Args:
        values: floats `(examples,)`.
        squares: squared length of each vector, floats `(examples,)`.
        dtype: dtype of the products.
    """
    row = values.argmax()
    return 8 * np.finfo(dtype).eps * (2 * squares[row] + abs(values[row]))


def random_maximum(values, keys, tolerance):
    """Returns the position of the largest value, and of values within rounding a random one.

    Args:
        values: floats `(examples,)`.
        keys: random floats `(examples,)`. The smallest key decides between equal values.
        tolerance: float, the rounding error of the values.
    """
    equal = np.flatnonzero(values >= values.max() - tolerance)
    return equal[keys[equal].argmin()]
