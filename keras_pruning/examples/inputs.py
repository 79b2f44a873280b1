"""The stored inputs of a source, in one array that all of its subsets share."""

import hashlib
import math
import numbers
from functools import cached_property

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.examples.memory import require_memory

# Bytes that are copied, hashed or checked at a time.
_BLOCK = 2**22
# TensorFlow uses an array without a copy if its address is a multiple of this.
_ALIGNMENT = 64
# Factor from uint8 pixels to [0, 1], for sources that decode images.
PIXEL_SCALE = 1 / 255
# Above this, float64 leaves out integers.
_LARGEST_SCALED = 2**53
# Bounds of `scale` that keep the product of any integer within float32.
_LARGEST_SCALE = 1e18


class Inputs:
    """Inputs as they are stored, in one array that NumPy and TensorFlow share.

    Batches have the values as Keras' `fit` reads them from an array: floats as float32, integers
    and booleans in their own dtype. With a `scale` they have the product as float32. The array
    belongs to this object: it must not be changed afterwards. An array in another byte order, in
    float64, not contiguous or not aligned is copied first.

    Args:
        stored: array or `numpy.memmap` of floats, integers or booleans `(stored examples, ...)`. A
            memory map stays on disk, and a batch reads only its own rows.
        scale: positive number that values are multiplied by, or `None` for values as they are.
        name: name of the array in messages.

    Raises:
        InputError: if `stored` has another dtype, is a single number, or holds a value that float32
            cannot hold, or if `scale` is not a positive number.
    """

    def __init__(self, stored, scale=None, name="x"):
        _require_array(stored, name)
        self.scale = _checked_scale(scale)
        self._is_mapped = isinstance(stored, np.memmap)
        self._dtype = kept_dtype(stored.dtype)
        if not self._is_mapped and not _is_shareable(stored):
            stored = copied(stored, name)
        self._buffer = stored
        # Views that are handed out cannot change the values.
        self.stored = stored.view()
        self.stored.flags.writeable = False
        self._require_representable(name)

    def __len__(self):
        return len(self.stored)

    @property
    def spec(self):
        """Shape and dtype of one example in batches, an `ArraySpec`."""
        is_float = self._dtype.kind == "f" or self.scale is not None
        return ArraySpec(self.stored.shape[1:], "float32" if is_float else self._dtype.name)

    @cached_property
    def digest(self):
        """Hash of shape, dtype, scale and every value, 32 hexadecimal digits."""
        digest = self._new_digest()
        for _, block in _blocks(self.stored):
            digest.update(np.ascontiguousarray(block, self._dtype))
        return digest.hexdigest()

    def _new_digest(self):
        return new_digest(self.stored.shape, self._dtype, self.scale)

    def with_scale(self, scale):
        """Returns the same stored values with another `scale`, without a copy."""
        return Inputs(self._buffer, scale)

    def for_rows(self, rows):
        """Returns the inputs to read stored rows from, and the positions of the rows in them."""
        return self, rows

    def read(self, rows):
        """Returns the stored rows `rows` in the machine's byte order, not scaled."""
        return np.asarray(self.stored[rows]).astype(self._dtype, copy=False)

    @cached_property
    def _tensor(self):
        import tensorflow as tf

        # Created outside the graph of the first data set that reads it, so that all share it.
        with tf.init_scope():
            # Not every version of DLPack knows booleans.
            buffer = self._buffer.view(np.uint8) if self._dtype.kind == "b" else self._buffer
            return tf.experimental.dlpack.from_dlpack(buffer.__dlpack__())

    def take(self, rows):
        """Returns the tensor `(batch, ...)` of the stored rows `rows`, inside `tf.data`."""
        import tensorflow as tf

        if self._is_mapped:
            # NumPy reads the rows from disk. TensorFlow does not know the shape of the result.
            x = tf.numpy_function(self.read, [rows], self._dtype)
            x = tf.ensure_shape(x, (None, *self.stored.shape[1:]))
        else:
            x = tf.gather(self._tensor, rows)
        if self.scale is not None:
            # In float64, so that the product is rounded once.
            x = tf.cast(x, tf.float64) * self.scale
        return tf.cast(x, self.spec.dtype)

    def _require_representable(self, name):
        """Raises an `InputError` if a value is lost on the way to float32."""
        if self._dtype.kind != "f" and (self.scale is None or self._dtype.itemsize <= 2):
            return
        for start, block in _blocks(self.stored):
            if self._dtype.kind == "f":
                with np.errstate(over="ignore"):
                    values = block if self.scale is None else block * self.scale
                    good = np.isfinite(values.astype(np.float32, copy=False))
            else:
                good = (block <= _LARGEST_SCALED) & (block >= -_LARGEST_SCALED)
            good = good.reshape(len(block), -1).all(axis=1)
            if not good.all():
                expected, received = (
                    ("finite numbers within float32", "NaN or infinity as float32")
                    if self._dtype.kind == "f"
                    else (f"integers up to {_LARGEST_SCALED:,}", "an integer that float64 rounds")
                )
                raise InputError(
                    f"Invalid values in `{name}`. Expected {expected}. Received: {received}, first "
                    f"in the example at position {start + int(np.argmin(good))}"
                )


def new_digest(shape, dtype, scale):
    """Returns the hash that `Inputs.digest` updates with every value in C order."""
    text = f"{shape} {dtype}" + ("" if scale is None else f" {scale!r}")
    return hashlib.blake2b(text.encode(), digest_size=16)


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


def copied(array, name="x"):
    """Returns a copy of an array in the form that `Inputs` stores, made block by block."""
    _require_array(array, name)
    dtype = kept_dtype(array.dtype)
    require_memory(
        array.size * dtype.itemsize,
        f"a copy of `{name}`",
        "Pass a `numpy.memmap`, which stays on disk.",
    )
    copy = empty(array.shape, dtype)
    with np.errstate(over="ignore"):
        for start, block in _blocks(array):
            copy[start : start + len(block)] = block
    return copy


def array_of(values):
    """Returns values as an array. Strings in a list become objects, which NumPy does not change."""
    array = np.asarray(values)
    # As an array of strings it has NaN and numbers as text, and no NUL at the end of a text.
    if array.dtype.kind in "US" and isinstance(values, list | tuple):
        return np.asarray(values, dtype=object)
    return array


def _require_array(stored, name):
    """Raises an `InputError` unless `stored` is an array of numbers with a first axis."""
    if stored.dtype.kind not in "biuf":
        kind = "objects" if stored.dtype == object else stored.dtype
        if stored.dtype == object and stored.ndim == 0:
            kind = f"a {type(stored.item()).__name__}"
            if hasattr(stored.item(), "toarray"):
                kind += f". Pass `{name}.toarray()`"
        raise InputError(
            f"Invalid dtype of `{name}`. Expected floats, integers, booleans or strings, taken as "
            f"they are. Received: {kind}"
        )
    if stored.ndim == 0:
        raise InputError(
            f"Invalid shape of `{name}`. Expected (N, ...), one entry for each example. "
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


def kept_dtype(dtype):
    """Returns the dtype that values are kept in: native byte order, at most 4 bytes for floats."""
    if dtype.kind == "f" and dtype.itemsize > 4:
        return np.dtype(np.float32)
    return dtype.newbyteorder("=")


def _is_shareable(array):
    native = array.dtype == kept_dtype(array.dtype) and array.dtype.isnative
    layout = array.flags.c_contiguous and array.flags.writeable
    return native and layout and array.ctypes.data % _ALIGNMENT == 0


def _blocks(array):
    """Yields parts of an array along its first axis, each with the position of its first row."""
    row_size = math.prod(array.shape[1:]) * array.dtype.itemsize
    step = max(1, _BLOCK // max(1, row_size))
    for start in range(0, len(array), step):
        yield start, array[start : start + step]
