"""Inputs of several arrays: a dictionary, a tuple or a list of them, as Keras models take."""

import hashlib
from functools import cached_property

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped


class NestedInputs:
    """A dictionary, a tuple or a list of inputs with one entry for each example.

    Batches have the same structure.

    Args:
        parts: dictionary, tuple or list of `Inputs` and `Texts`.

    Raises:
        InputError: if there are none, or if their lengths differ.
    """

    def __init__(self, parts):
        self.parts = parts
        lengths = mapped(len, parts)
        if len(set(leaves(lengths))) != 1:
            raise InputError(
                "Lengths of the arrays in `x` differ. Expected one entry for each example in every "
                f"array. Received: {lengths or 'no arrays'}"
            )

    def __len__(self):
        return len(leaves(self.parts)[0])

    @property
    def scale(self):
        """The scale of the arrays, `None` for values as they are."""
        scales = {part.scale for part in leaves(self.parts)} - {None}
        return scales.pop() if scales else None

    @property
    def spec(self):
        """Structure of the `ArraySpec` of each array."""
        return mapped(lambda part: part.spec, self.parts)

    @cached_property
    def digest(self):
        """Hash of the structure and of every array, 32 hexadecimal digits."""
        digests = mapped(lambda part: part.digest, self.parts)
        return hashlib.blake2b(repr(digests).encode(), digest_size=16).hexdigest()

    def with_scale(self, scale):
        """Returns the same stored values with another `scale`, without a copy."""
        return NestedInputs(mapped(lambda part: part.with_scale(scale), self.parts))

    def for_rows(self, rows):
        """Returns these inputs and `rows`. Strings and nested inputs are always read as a whole."""
        return self, rows

    def read(self, rows):
        """Returns the stored rows `rows` of every array, not scaled."""
        return mapped(lambda part: part.read(rows), self.parts)

    def take(self, rows):
        """Returns the tensors of the stored rows `rows` of every array, inside `tf.data`."""
        return mapped(lambda part: part.take(rows), self.parts)
