"""The vectors that a policy needs, from an array or a `.npy` file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.embeddings.sources import open_array, rows_of
from keras_pruning.errors import InputError

# Numbers that are checked and hashed at a time, so that a memory map stays on disk.
_BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class Vectors:
    """One vector for each example of a score table.

    Args:
        vectors: numbers `(examples, dimensions)`, an array or a memory map.
        digest: hash of the vectors, for recipes.
    """

    vectors: np.ndarray
    digest: str


def require_embedding(source):
    """Raises an `InputError` unless `source` is `None`, an array or the path of a `.npy` file."""
    is_path = isinstance(source, str | Path) and Path(source).suffix == ".npy"
    if not (source is None or is_path or isinstance(source, np.ndarray | Vectors)):
        raise InputError(
            "Invalid `embedding`. Expected an array (examples, dimensions) or the path of a .npy "
            f"file that holds one. Received: embedding={source!r}"
        )


def open_embedding(source, count, examples=None):
    """Returns the `Vectors` of a source, checked and hashed in one pass over its values.

    Args:
        source: array `(examples, dimensions)`, path of a `.npy` file, or an `Vectors`.
        count: number of examples.
        examples: `Examples`. With these, a file may also have a row for each example that their
            source has stored. The rows of a part are read into memory.

    Raises:
        InputError: if the file cannot be read, or the vectors are of other examples or invalid.
    """
    if isinstance(source, Vectors):
        return source
    require_embedding(source)
    vectors = source if isinstance(source, np.ndarray) else _stored(source, examples)
    if vectors.ndim != 2 or 0 in vectors.shape or vectors.dtype.kind not in "iuf":
        raise InputError(
            "Invalid `embedding`. Expected numbers of shape (examples, dimensions). "
            f"Received: {vectors.dtype} of shape {vectors.shape}"
        )
    if len(vectors) != count:
        raise InputError(
            f"The embedding is of other examples. Expected {count} rows, one for each example in "
            f"the order of `table.ids`. Received: {len(vectors)} rows"
        )
    return Vectors(vectors, _digest(vectors))


def _stored(path, examples):
    """Returns the vectors of a `.npy` file, a memory map unless they are of a part of the rows."""
    vectors = open_array(path)
    if examples is None or len(vectors) == len(examples):
        return vectors
    return vectors[rows_of(path, len(vectors), examples)]


def _digest(vectors):
    """Returns a hash of the values, after a check that all are finite."""
    digest = hashlib.sha256(f"{vectors.dtype.str} {vectors.shape}".encode())
    size = max(1, _BLOCK // vectors.shape[1])
    for start in range(0, len(vectors), size):
        block = np.ascontiguousarray(vectors[start : start + size])
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise InputError(
                "Invalid values in `embedding`. Expected finite numbers. Received: NaN or "
                f"infinity, first in row {start + int(np.argmin(finite))}"
            )
        digest.update(block)
    return digest.hexdigest()[:32]
