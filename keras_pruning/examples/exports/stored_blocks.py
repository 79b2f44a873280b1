"""The stored inputs of examples in blocks, so that an export never has all in memory."""

import math

import numpy as np

from keras_pruning.examples.array_spec import leaves, mapped

# Bytes of inputs that are read at a time, and the most examples.
_BYTES, _EXAMPLES = 2**24, 2**13
# Bytes that a text counts for, whose length is not known.
_BYTES_OF_TEXT = 2**10


def blocks(examples, part=None):
    """Yields the inputs of examples in order, block by block, with the rows of each block.

    Args:
        examples: `Examples`.
        part: one of the leaves of `parts`. Defaults to all inputs, in their structure.

    Yields:
        Integers `(block,)`, and the stored values `(block, ...)` of these rows.
    """
    part = examples.stored if part is None else part
    size = sum(map(_row_size, leaves(part.read(np.arange(0)))))
    step = min(_EXAMPLES, max(1, _BYTES // max(1, size)))
    for start in range(0, len(examples), step):
        rows = np.arange(start, min(start + step, len(examples)))
        yield rows, part.read(examples.stored_rows[rows])


def parts(inputs):
    """Returns the `Inputs` and `Texts` of nested inputs in their structure, or single inputs."""
    return mapped(parts, inputs.parts) if hasattr(inputs, "parts") else inputs


def _row_size(array):
    """Returns the number of bytes of one row of an array."""
    entry = _BYTES_OF_TEXT if array.dtype == object else array.dtype.itemsize
    return math.prod(array.shape[1:]) * entry
