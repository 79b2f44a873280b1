"""The stored inputs of a source, in one array that all of its subsets share."""

import hashlib
import math
import numbers
from functools import cached_property

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.memory import require_memory

# Bytes that are copied, hashed or checked at a time.
_BLOCK = 2**22
# TensorFlow uses an array without a copy if its address is a multiple of this.
_ALIGNMENT = 64
# Factor from uint8 pixels to [0, 1], for sources that decode images.
PIXEL_SCALE = 1 / 255
# Bounds of `scale` that keep the product of any integer within float32.
_LARGEST_SCALE = 1e18


class Inputs:
    """Inputs as they are stored, in one array that NumPy and TensorFlow share.

    Batches have `stored` as float32, multiplied by `scale`. The array belongs to this object: it
    must not be changed afterwards. An array in another byte order, in float64, not contiguous or
    not aligned is copied first.

    Args:
        stored: array or `numpy.memmap` of floats, integers or booleans `(stored examples, ...)`. A
            memory map stays on disk, and a batch reads only its own rows.
        scale: positive number, or `None` for 1.

    Raises:
        InputError: if `stored` has another dtype, is a single number, or holds a value that float32
            cannot hold, or if `scale` is not a positive number.
    """

    def __init__(self, stored, scale=None):
        _require_array(stored)
        self.scale = _checked_scale(scale)
        self._is_mapped = isinstance(stored, np.memmap)
        self._dtype = _kept_dtype(stored.dtype)
        if not self._is_mapped and not _is_shareable(stored):
            stored = copied(stored)
        self._buffer = stored
        # Views that are handed out cannot change the values.
        self.stored = stored.view()
        self.stored.flags.writeable = False
        self._require_representable()

    @property
    def shape(self):
        """Shape of one example, a tuple without the batch axis."""
        return self.stored.shape[1:]

    @cached_property
    def digest(self):
        """Hash of shape, dtype, scale and every value, 32 hexadecimal digits."""
        digest = new_digest(self.stored.shape, self._dtype, self.scale)
        for _, block in _blocks(self.stored):
            digest.update(np.ascontiguousarray(block, self._dtype))
        return digest.hexdigest()

    def read(self, rows):
        """Returns the stored rows `rows` in the machine's byte order, not scaled."""
        return np.asarray(self.stored[rows]).astype(self._dtype, copy=False)

    @cached_property
    def _tensor(self):
        import tensorflow as tf

        # Created outside the graph of the first data set that reads it, so that all share it.
        with tf.init_scope():
            return tf.experimental.dlpack.from_dlpack(self._buffer.__dlpack__())

    def take(self, rows):
        """Returns the float32 tensor `(batch, ...)` of the stored rows `rows`, inside `tf.data`."""
        import tensorflow as tf

        if self._is_mapped:
            # NumPy reads the rows from disk. TensorFlow does not know the shape of the result.
            x = tf.numpy_function(self.read, [rows], self._dtype)
            x = tf.ensure_shape(x, (None, *self.shape))
        else:
            x = tf.gather(self._tensor, rows)
        if self.scale is not None:
            # In float64, so that the product is rounded once.
            x = tf.cast(x, tf.float64) * self.scale
        return tf.cast(x, tf.float32)

    def _require_representable(self):
        """Raises an `InputError` if a value is lost on the way to float32."""
        if self._dtype.kind in "bu" and self._dtype.itemsize <= 2:
            return
        # Above these, float32 and float64 leave out integers.
        largest = 2**24 if self.scale is None else 2**53
        for start, block in _blocks(self.stored):
            if self._dtype.kind == "f":
                with np.errstate(over="ignore"):
                    values = block if self.scale is None else block * self.scale
                    good = np.isfinite(values.astype(np.float32, copy=False))
            else:
                good = (block <= largest) & (block >= -largest)
            good = good.reshape(len(block), -1).all(axis=1)
            if not good.all():
                expected, received = (
                    ("finite numbers within float32", "NaN or infinity as float32")
                    if self._dtype.kind == "f"
                    else (f"integers up to {largest:,}", "an integer that float32 rounds")
                )
                raise InputError(
                    f"Invalid values in `x`. Expected {expected}. Received: {received}, first in "
                    f"the example at position {start + int(np.argmin(good))}"
                )


def new_digest(shape, dtype, scale):
    """Returns the hash that `Inputs.digest` updates with every value in C order."""
    text = f"{shape} {dtype}" + ("" if scale is None else f" {scale!r}")
    return hashlib.blake2b(text.encode(), digest_size=16)


def array_of(x):
    """Returns `x` as an array, a `numpy.memmap` as it is.

    Raises:
        InputError: if `x` is a masked array or cannot be one array of numbers.
    """
    require_unmasked("x", x)
    if isinstance(x, np.memmap):
        return x
    try:
        return np.asarray(x)
    except (TypeError, ValueError) as error:
        raise InputError(
            "Invalid `x`. Expected one array of numbers of shape (N, ...). "
            f"Received: a {type(x).__name__} that is none ({error})"
        ) from error


def require_unmasked(name, values):
    """Raises an `InputError` if `values` is a masked array, whose mask would be lost."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(
            f"Masked arrays are not supported. Expected `{name}` without a mask. Received: "
            f"{np.ma.count_masked(values)} masked values. Fill them with `{name}.filled(value)`, "
            "or leave out the examples."
        )


def empty(shape, dtype):
    """Returns a new array without values that TensorFlow can share."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    content = np.empty(size + _ALIGNMENT, np.uint8)
    start = -content.ctypes.data % _ALIGNMENT
    return content[start : start + size].view(dtype).reshape(shape)


def filled(shape, dtype, file):
    """Returns a new array with the next bytes of an open file, in C order.

    The bytes are read in parts, so that only the array takes memory.

    Args:
        shape: tuple of integers.
        dtype: dtype of the values in the file.
        file: binary file.

    Raises:
        EOFError: if the file has too few bytes.
    """
    array = empty(shape, dtype)
    content = memoryview(array.reshape(-1).view(np.uint8))
    start = 0
    while start < len(content):
        part = file.read(min(_BLOCK, len(content) - start))
        if not part:
            raise EOFError(f"{len(content)} bytes of values expected, {start} received")
        content[start : start + len(part)] = part
        start += len(part)
    return array


def copied(array):
    """Returns a copy of an array in the form that `Inputs` stores, made block by block."""
    _require_array(array)
    dtype = _kept_dtype(array.dtype)
    require_memory(
        array.size * dtype.itemsize, "a copy of `x`", "Pass a `numpy.memmap`, which stays on disk."
    )
    copy = empty(array.shape, dtype)
    with np.errstate(over="ignore"):
        for start, block in _blocks(array):
            copy[start : start + len(block)] = block
    return copy


def _require_array(stored):
    """Raises an `InputError` unless `stored` is an array of numbers with a first axis."""
    if stored.dtype.kind not in "biuf":
        kind = "objects" if stored.dtype == object else stored.dtype
        if stored.dtype == object and stored.ndim == 0:
            kind = f"a {type(stored.item()).__name__}"
        raise InputError(
            "Invalid dtype of `x`. Expected one array of floats, integers or booleans, taken as "
            f"they are. Received: {kind}"
        )
    if stored.ndim == 0:
        raise InputError(
            "Invalid shape of `x`. Expected (N, ...), one entry for each example. "
            "Received: a single number"
        )


def _checked_scale(scale):
    if scale is None:
        return None
    number = isinstance(scale, numbers.Real) and not isinstance(scale, bool)
    if not number or not 1 / _LARGEST_SCALE <= scale <= _LARGEST_SCALE:
        raise InputError(
            "Invalid `scale`. Expected a positive number, for example 1/255 for pixels of 0 … 255, "
            f"or None for values as they are. Received: scale={scale!r}"
        )
    return float(scale)


def _kept_dtype(dtype):
    """Returns the dtype that values are kept in: native byte order, at most 4 bytes for floats."""
    if dtype.kind == "f" and dtype.itemsize > 4:
        return np.dtype(np.float32)
    return dtype.newbyteorder("=")


def _is_shareable(array):
    native = array.dtype == _kept_dtype(array.dtype) and array.dtype.isnative
    layout = array.flags.c_contiguous and array.flags.writeable
    return native and layout and array.ctypes.data % _ALIGNMENT == 0


def _blocks(array):
    """Yields parts of an array along its first axis, each with the position of its first row."""
    row_size = math.prod(array.shape[1:]) * array.dtype.itemsize
    step = max(1, _BLOCK // max(1, row_size))
    for start in range(0, len(array), step):
        yield start, array[start : start + step]
