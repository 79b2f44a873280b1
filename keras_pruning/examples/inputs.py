"""The stored inputs of a source, in one array that all of its subsets share."""

import hashlib
from functools import cached_property

import numpy as np

from keras_pruning.errors import InputError

# Number of examples that are hashed and checked at a time.
_BLOCK = 4096


class Inputs:
    """Inputs as they are stored: floats, or uint8 pixels that batches scale to [0, 1].

    Args:
        stored: array or `numpy.memmap` of floats or uint8 `(stored examples, ...)`. A memory map
            stays on disk, and a batch reads only its own rows.

    Raises:
        InputError: if `stored` has another dtype, is a single number, or holds NaN or infinity.
    """

    def __init__(self, stored):
        if stored.ndim == 0:
            raise InputError(
                "Invalid shape of `x`. Expected (N, ...), one entry for each example. "
                "Received: a single number"
            )
        if stored.dtype != np.uint8:
            if not np.issubdtype(stored.dtype, np.floating):
                raise InputError(
                    "Invalid dtype of `x`. Expected floats, taken as they are, or uint8, scaled "
                    f"to [0, 1]. Received: x.dtype={stored.dtype}"
                )
            if stored.dtype != np.float32 and not isinstance(stored, np.memmap):
                stored = stored.astype(np.float32)
            _require_finite(stored)
        self.stored = stored

    @property
    def shape(self):
        """Shape of one example, a tuple without the batch axis."""
        return self.stored.shape[1:]

    @cached_property
    def digest(self):
        """Hash of shape, dtype and every value, 32 hexadecimal digits."""
        digest = hashlib.blake2b(
            f"{self.stored.shape} {self.stored.dtype}".encode(), digest_size=16
        )
        for block in _blocks(self.stored):
            digest.update(np.ascontiguousarray(block))
        return digest.hexdigest()

    @cached_property
    def _tensor(self):
        import tensorflow as tf

        # Created outside the graph of the first data set that reads it, so that all share it.
        with tf.init_scope(), tf.device("CPU"):
            return tf.constant(self.stored)

    def take(self, rows):
        """Returns the float32 tensor `(batch, ...)` of the stored rows `rows`, inside `tf.data`."""
        import tensorflow as tf

        if isinstance(self.stored, np.memmap):
            # NumPy reads the rows from disk. TensorFlow does not know the shape of the result.
            x = tf.numpy_function(self.stored.__getitem__, [rows], self.stored.dtype)
            x = tf.ensure_shape(x, (None, *self.shape))
        else:
            x = tf.gather(self._tensor, rows)
        x = tf.cast(x, tf.float32)
        return x / 255.0 if self.stored.dtype == np.uint8 else x


def _blocks(stored):
    for start in range(0, len(stored), _BLOCK):
        yield stored[start : start + _BLOCK]


def _require_finite(stored):
    for number, block in enumerate(_blocks(stored)):
        finite = np.isfinite(block).reshape(len(block), -1).all(axis=1)
        if not finite.all():
            row = number * _BLOCK + int(np.argmin(finite))
            raise InputError(
                "Invalid values in `x`. Expected finite numbers. "
                f"Received: NaN or infinity, first in the example at position {row}"
            )
