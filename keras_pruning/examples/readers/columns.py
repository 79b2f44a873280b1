"""Arrays that grow batch by batch, in memory or in a file on disk."""

import errno
import math
import os
import shutil
import tempfile

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec, described, leaves, mapped
from keras_pruning.examples.given_inputs import Taken
from keras_pruning.examples.inputs import empty, kept_dtype

# Bytes of the largest block. The system takes memory of this size back as soon as it is freed.
_BLOCK = 2**26
# Bytes that stay free on the disk.
_SPARE = 2**30
# Rows of the first block of a column.
_FIRST_ROWS = 64


class Columns:
    """The inputs and labels of a data set, in the structure of its batches.

    If the arrays of numbers take more than `decoded_cache.MEMORY_LIMIT` bytes, each of them
    continues in a file. The files have no name in the cache folder, so that the system removes them
    with the last reference, also if the process is killed. A `with` block closes them.
    """

    def __init__(self):
        self.count = 0
        self._columns, self._in_files = (), False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for column in leaves(self._columns):
            column.close()

    def append(self, batch):
        """Appends a `Batch`.

        Raises:
            InputError: if it differs from the first one in structure, shape or dtype, or if the
                disk is full.
        """
        parts = (batch.x, batch.y)
        if not self._columns:
            self._structure = _structure(parts)
            self._columns = mapped(_column, parts)
        self._require_alike(_structure(parts))
        # By key, because dictionaries may have another order in each batch.
        for column, part in leaf_pairs(self._columns, parts):
            column.append(part)
        self.count += len(batch.y)
        columns = leaves(self._columns)
        if not self._in_files and sum(column.size for column in columns) > _memory_limit():
            self._in_files = True
            for column in columns:
                column.move_to_file()

    def finish(self):
        """Returns the inputs, nested `Taken` arrays, and the array of the labels.

        Raises:
            InputError: if there are no examples.
        """
        if not self.count:
            raise InputError("The data set is empty. Expected at least one example. Received: none")
        x, y = mapped(lambda column: column.finish(), self._columns)
        return mapped(Taken, x), y

    def _require_alike(self, structure):
        if structure != self._structure:
            raise InputError(
                "The examples of the data set differ in shape, dtype or structure. Expected the "
                f"same for all, here {_described(self._structure)}. Received: "
                f"{_described(structure)} after {self.count} examples. Resize or pad them, and "
                "replace missing values, in the data set."
            )


class _Numbers:
    """A column of numbers: blocks in memory, and perhaps a file of the rows before them."""

    def __init__(self, first):
        self._dtype, self._row_shape = kept_dtype(first.dtype), first.shape[1:]
        self._row_size = math.prod(self._row_shape) * self._dtype.itemsize
        # Each block is full, except for the last one.
        self._blocks, self._rows_in_last = [], 0
        self._count, self._file = 0, None

    @property
    def size(self):
        """Number of bytes of all rows."""
        return self._count * self._row_size

    def append(self, rows):
        """Appends an array `(rows, ...)`, cast as `Inputs` stores it."""
        start = 0
        while start < len(rows):
            if not self._blocks or self._rows_in_last == len(self._blocks[-1]):
                self._open_block()
            block = self._blocks[-1][self._rows_in_last :]
            part = rows[start : start + len(block)]
            # Infinite values are refused later, with their position.
            with np.errstate(over="ignore"):
                block[: len(part)] = part
            self._rows_in_last += len(part)
            self._count += len(part)
            start += len(part)

    def move_to_file(self):
        """Writes all rows into a file that grows from now on."""
        # A file without bytes cannot be mapped.
        if self.size:
            self._file = _new_file()
            self._write_blocks()

    def finish(self):
        """Returns the rows as one array that TensorFlow can share, or as a read-only memory map."""
        shape = (self._count, *self._row_shape)
        if self._file is not None:
            self._write_blocks()
            return np.memmap(self._file, self._dtype, "r", shape=shape)
        # Free each block once it is copied, so that the rows take their memory only once.
        array, stop = empty(shape, self._dtype), self._count
        while self._blocks:
            block = self._blocks.pop()[: self._rows_in_last]
            array[stop - len(block) : stop] = block
            stop -= len(block)
            self._rows_in_last = len(self._blocks[-1]) if self._blocks else 0
        return array

    def close(self):
        """Closes the file. A memory map of it stays readable."""
        if self._file is not None:
            self._file.close()

    def _open_block(self):
        if self._file is not None:
            self._write_blocks()
        # Double the memory each time, because the number of rows is not known.
        rows = min(max(self._count, _FIRST_ROWS), max(1, _BLOCK // max(1, self._row_size)))
        self._blocks.append(empty((rows, *self._row_shape), self._dtype))
        self._rows_in_last = 0

    def _write_blocks(self):
        """Writes the blocks into the file, and leaves none."""
        try:
            # Leave other processes some space, in case that the data set never ends.
            if shutil.disk_usage(self._file.fileno()).free < _SPARE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            for number, block in enumerate(self._blocks, start=1):
                is_last = number == len(self._blocks)
                _write(self._file, block[: self._rows_in_last] if is_last else block)
        except OSError as error:
            raise _cannot_write(error, self.size) from error
        self._blocks = []


class _Objects:
    """A column of strings, which stays in memory."""

    size = 0

    def __init__(self, first):
        self._parts = []

    def append(self, rows):
        """Appends an array of objects `(rows, ...)`."""
        self._parts.append(rows)

    def move_to_file(self):
        """Returns at once, because strings stay in memory."""

    def close(self):
        """Returns at once."""

    def finish(self):
        """Returns the rows as one array."""
        return np.concatenate(self._parts)


def leaf_pairs(structure, other):
    """Returns the pairs of leaves at the same keys of two structures, in the order of the first."""
    if isinstance(structure, dict):
        keys = list(structure)
    elif isinstance(structure, tuple):
        keys = range(len(structure))
    else:
        return [(structure, other)]
    return [pair for key in keys for pair in leaf_pairs(structure[key], other[key])]


def _column(first):
    return (_Numbers if first.dtype.kind in "biuf" else _Objects)(first)


def _structure(parts):
    """Returns the structure of a batch, with an `ArraySpec` in place of each array."""
    # Not the name of the dtype, which takes longer than all else for a single example.
    return mapped(lambda part: ArraySpec(part.shape[1:], part.dtype), parts)


def _described(structure):
    x, y = structure
    return f"inputs {described(x)} and labels {described(y)}"


def _write(file, array):
    """Writes all bytes of an array. A file without a buffer may take only a part at a time."""
    content = memoryview(array.reshape(-1).view(np.uint8))
    while content:
        content = content[file.write(content) :]


def _memory_limit():
    # Imported here, because the sources import `Examples`, which imports this module.
    from keras_pruning.examples.sources import decoded_cache

    return decoded_cache.MEMORY_LIMIT


def _new_file():
    """Returns a new file without a name in the cache folder."""
    from keras_pruning.examples.sources.decoded_cache import cache_folder

    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=cache_folder(), buffering=0)
    except OSError as error:
        raise _cannot_write(error, 0) from error


def _cannot_write(error, size):
    from keras_pruning.examples.sources.decoded_cache import cache_folder

    free = shutil.disk_usage(cache_folder()).free if cache_folder().is_dir() else 0
    endless = " If the data set repeats itself without end, leave out `repeat()`." if size else ""
    return InputError(
        f"Cannot store the data set in {cache_folder()}. Expected a writable folder on a disk with "
        f"enough free space. Received: {error.strerror} after {size / 2**30:.2f} GiB, with "
        f"{free / 2**30:.2f} GiB free. Choose another folder by the environment variable "
        f"KERAS_PRUNING_CACHE.{endless}"
    )
