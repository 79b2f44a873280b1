"""Inputs that are strings, stored as UTF-8 without padding."""

from functools import cached_property

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.examples.inputs import new_digest


class Texts:
    """Strings as they are stored, in one Arrow array. Batches have them as `tf.string`.

    Args:
        texts: array of `str` or of UTF-8 `bytes`, `(stored examples, ...)`.
        name: name of the array in messages.

    Raises:
        InputError: if an entry is not a string.
    """

    scale = None

    def __init__(self, texts, name="x"):
        texts = np.asarray(texts)
        self._shape = texts.shape
        self._texts = _arrow(texts.reshape(-1), name, max(1, int(np.prod(texts.shape[1:]))))

    def __len__(self):
        return self._shape[0]

    @property
    def spec(self):
        """Shape of one example and the dtype `"string"`, an `ArraySpec`."""
        return ArraySpec(self._shape[1:], "string")

    @cached_property
    def digest(self):
        """Hash of the shape, every length and every text, 32 hexadecimal digits."""
        import pyarrow.compute as pc

        digest = new_digest(self._shape, "string", None)
        # Lengths come first, because no separator is certain to be absent from the text.
        digest.update(np.asarray(pc.binary_length(self._texts), "<i8"))
        digest.update(self._texts.buffers()[2] or b"")
        return digest.hexdigest()

    def with_scale(self, scale):
        """Returns these inputs. Strings have no scale."""
        return self

    def for_rows(self, rows):
        """Returns these inputs and `rows`. Strings and nested inputs are always read as a whole."""
        return self, rows

    def read(self, rows):
        """Returns the stored rows `rows`, an array of `str` objects."""
        import pyarrow as pa

        positions = np.arange(len(self._texts)).reshape(self._shape)[rows]
        texts = self._texts.take(pa.array(positions.reshape(-1))).to_pylist()
        return np.array(texts, dtype=object).reshape(positions.shape)

    @cached_property
    def _tensor(self):
        import tensorflow as tf

        # Created outside the graph of the first data set that reads it, so that all share it.
        with tf.init_scope():
            texts = np.array([text.encode() for text in self._texts.to_pylist()], dtype=object)
            return tf.constant(texts.reshape(self._shape), tf.string)

    def take(self, rows):
        """Returns the string tensor `(batch, ...)` of the stored rows `rows`, inside `tf.data`."""
        import tensorflow as tf

        return tf.gather(self._tensor, rows)


def are_texts(array):
    """Returns whether an array holds strings or bytes, or objects that start with one."""
    if array.dtype.kind in "UST":
        return True
    return array.dtype == object and array.size > 0 and isinstance(array.flat[0], str | bytes)


def _arrow(texts, name, row_size):
    """Returns an array `(texts,)` of strings or bytes as one Arrow array of strings."""
    # Imported here, because `--help` does without it.
    import pyarrow as pa

    entries = texts.tolist()
    for position, entry in enumerate(entries):
        if not isinstance(entry, str | bytes):
            raise InputError(
                f"Invalid values in `{name}`. Expected strings. Received: {entry!r} "
                f"({type(entry).__name__}) in the example at position {position // row_size}"
            )
    try:
        encoded = [entry.encode() if isinstance(entry, str) else entry for entry in entries]
        return pa.array(encoded, pa.large_binary()).cast(pa.large_string())
    except (UnicodeEncodeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"Invalid values in `{name}`. Expected strings of valid Unicode, or bytes in UTF-8. "
            f"Received: others ({error})"
        ) from error
