"""Inputs in a file of the cache, of which examples read the rows that they need."""

import math
from functools import cached_property

import numpy as np

from keras_pruning.examples.inputs import Inputs, empty

# Bytes that are read at a time.
_BLOCK = 2**22


class MappedInputs(Inputs):
    """A memory map whose rows are read into memory for batches, if they fit into a limit.

    Args:
        stored: `numpy.memmap` of uint8 `(stored examples, ...)`.
        scale: as for `Inputs`.
        limit: number of bytes up to which rows are read into memory. Beyond, every batch reads its
            own rows from the file.
        hashes: `KeptHashes` of the file, or `None` to hash it in every process.
    """

    def __init__(self, stored, scale, limit, hashes=None):
        super().__init__(stored, scale)
        self._limit, self._hashes = limit, hashes

    @cached_property
    def digest(self):
        """Hash as that of `Inputs`, of the bytes in the file."""
        return (
            self._hashed() if self._hashes is None else self._hashes.get(self.scale, self._hashed)
        )

    def _hashed(self):
        digest, left = self._new_digest(), self._buffer.nbytes
        # Not through the map, whose pages would count as memory of this process.
        try:
            with open(self._buffer.filename, "rb") as file:
                file.seek(self._buffer.offset)
                while left and (block := file.read(min(_BLOCK, left))):
                    digest.update(block)
                    left -= len(block)
        except OSError:
            # The map stays after its file was removed from the cache.
            return Inputs(self._buffer, self.scale).digest
        return digest.hexdigest()

    def with_scale(self, scale):
        """Returns the same stored values with another `scale`, without a copy."""
        return MappedInputs(self._buffer, scale, self._limit, self._hashes)

    def for_rows(self, rows):
        """Returns inputs in memory that have at least these rows, and the positions of the rows.

        If all rows are in memory already, no other copy is made. Rows that exceed the limit stay in
        the file.

        Args:
            rows: integers `(rows,)`.
        """
        if "_whole" in self.__dict__ or len(rows) == len(self) <= self._most_rows:
            return self._whole, rows
        if len(rows) > self._most_rows:
            return self, rows
        return self._read(rows), np.arange(len(rows))

    @property
    def _most_rows(self):
        return self._limit // max(1, self._row_size)

    @property
    def _row_size(self):
        return math.prod(self.stored.shape[1:]) * self.stored.itemsize

    @cached_property
    def _whole(self):
        return self._read(np.arange(len(self)))

    def _read(self, rows):
        """Returns `Inputs` in memory with these rows."""
        values = empty((len(rows), *self.stored.shape[1:]), self.stored.dtype)
        step = max(1, _BLOCK // max(1, self._row_size))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            values[part] = self.stored[rows[part]]
        return Inputs(values, self.scale)
