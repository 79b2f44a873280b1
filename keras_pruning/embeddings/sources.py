"""Embeddings that the user provides: which files they come from, and the rows of a `.npy` file."""

from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError

ARRAY, MODEL = ".npy", ".keras"
# Stands for the inputs of the examples themselves.
PIXELS = "pixels"
# Numbers that are read from a file at a time.
_BLOCK = 2**22


def require_source(source):
    """Returns `source` as a string, `None` if it is `None`.

    Raises:
        InputError: unless `source` is the path of a `.npy` or a `.keras` file. The file itself is
            not read.
    """
    if source is None:
        return None
    path = Path(source) if isinstance(source, str | Path) else None
    if path is None or path.suffix not in (ARRAY, MODEL):
        raise InputError(
            "Invalid `embedding`. Expected the path of a .npy file, with a row for each example, "
            f"or of the .keras file of a model. Received: embedding={source!r}"
        )
    return str(path)


def require_vector_source(source):
    """Raises an `InputError` unless `source` is `"pixels"` or the path of a file that is there."""
    path = Path(source)
    if source == PIXELS or (path.suffix in (ARRAY, MODEL) and path.is_file()):
        return
    raise InputError(
        "Invalid `embedding`. Expected 'pixels', or the path of a .npy or .keras file. "
        f"Received: {source}{'' if path.exists() or not path.suffix else ' (no such file)'}"
    )


def is_array(source):
    """Returns whether `source` is a `.npy` file, whose rows are the embeddings."""
    return source is not None and source.endswith(ARRAY)


def open_array(path):
    """Opens the vectors in a `.npy` file, a read-only memory map `(rows, dimensions)` of floats.

    Raises:
        InputError: if the file is missing or damaged, or if it holds anything else.
    """
    if not Path(path).is_file():
        raise InputError(f"Missing embedding file. Expected a .npy file. Received: {path}")
    try:
        # Not `numpy.load`, which also opens an .npz file that is named .npy.
        stored = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        raise InputError(
            f"Cannot read the embedding {path}. Expected a .npy file of floats, written by "
            f"numpy.save without pickled objects. Received: {str(error).splitlines()[0]}"
        ) from error
    if stored.ndim != 2 or 0 in stored.shape or not np.issubdtype(stored.dtype, np.floating):
        raise InputError(
            f"Invalid embedding {path}. Expected floats of shape (examples, dimensions). "
            f"Received: {stored.dtype} of shape {stored.shape}. For one vector per example, save "
            "x.reshape(len(x), -1).astype('float32')."
        )
    return stored


def rows_of(path, count, examples):
    """Returns the row of each example in a file, integers `(examples,)`.

    The file has one row for each of the examples, or one row for each stored example of their
    source, before `Examples.draw` or `Examples.keep`.

    Args:
        path: name of the file in the message.
        count: number of rows in the file.
        examples: `Examples`.

    Raises:
        InputError: if the file has another number of rows.
    """
    if count == examples.stored_count:
        return examples.stored_rows
    if count == len(examples):
        return np.arange(count)
    whole = ""
    if examples.stored_count > len(examples):
        whole = (
            f", or {examples.stored_count} rows, one for each example of the source before a "
            "fraction was drawn (dataset.fraction, probe.fraction) or kept"
        )
    raise InputError(
        f"The embedding {path} does not belong to these examples. Expected {len(examples)} rows, "
        f"one for each example in the order of `examples.ids`{whole}. Received: {count} rows"
    )


def require_rows_of_both(path, examples, support):
    """Raises an `InputError` unless a file has a row for each stored example of a shared source.

    With any other number of rows, it would be unknown whether the rows are about the examples or
    about the support.

    Args:
        path: path of the file.
        examples: `Examples`.
        support: `Examples` of the same source.
    """
    shared = examples.provenance["inputs"] == support.provenance["inputs"]
    count = len(open_array(path))
    if not shared or count != examples.stored_count:
        raise InputError(
            f"The embedding {path} does not have the rows of the support. Expected examples and "
            "support of the same source, and one row for each stored example. Received: "
            f"{count} rows for {examples!r} and the support {support!r}. Use the .keras file of a "
            "model, which embeds both."
        )


def blocks(stored, rows, path):
    """Yields blocks of the vectors of examples, `(slice, float32 (block, dimensions))`.

    Args:
        stored: array of `open_array`.
        rows: integers `(examples,)`, the row of each example.
        path: name of the file in messages.

    Raises:
        InputError: if a vector is not finite in float32.
    """
    size = max(1, _BLOCK // stored.shape[1])
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        # Larger numbers overflow to infinity, which the check below finds.
        with np.errstate(over="ignore"):
            block = stored[rows[part]].astype(np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            row = rows[start + int(np.argmin(finite))]
            raise InputError(
                f"Invalid values in the embedding {path}. Expected finite numbers in the range "
                f"of float32. Received: NaN, infinity or larger numbers, first in row {row}"
            )
        yield part, block
