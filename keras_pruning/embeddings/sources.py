"""Embeddings that the user brings: the rows of a `.npy` file, or another model's outputs."""

import random
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.models import loading

ARRAY, MODEL = ".npy", ".keras"
_BLOCK = 2**22


def require_source(source):
    """`source` as a string, checked to name a file that embeddings can come from; or `None`."""
    if source is None:
        return None
    path = Path(source) if isinstance(source, str | Path) else None
    if path is None or path.suffix not in (ARRAY, MODEL):
        raise InputError(
            "Invalid `embedding`. Expected the path of a .npy file, with a row for each example, "
            f"or of the .keras file of a model. Received: embedding={source!r}"
        )
    return str(path)


def is_array(source):
    """Whether embeddings come from the rows of a `.npy` file."""
    return source is not None and source.endswith(ARRAY)


def open_array(path):
    """The vectors in a `.npy` file, a read-only memory map `(rows, dimensions)` of floats.

    Raises:
        InputError: if the file is missing or damaged, or holds anything else.
    """
    if not Path(path).is_file():
        raise InputError(f"Missing embedding file. Expected a .npy file. Received: {path}")
    try:
        # Not `numpy.load`, which takes an .npz file for an .npy file, whatever its name.
        stored = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        raise InputError(
            f"Cannot read the embedding {path}. Expected a .npy file of floats, as numpy.save "
            f"writes it, without pickled objects. Received: {str(error).splitlines()[0]}"
        ) from error
    if stored.ndim != 2 or 0 in stored.shape or not np.issubdtype(stored.dtype, np.floating):
        raise InputError(
            f"Invalid embedding {path}. Expected floats of shape (examples, dimensions). "
            f"Received: {stored.dtype} of shape {stored.shape}. For one vector an example save "
            "x.reshape(len(x), -1).astype('float32')."
        )
    return stored


def rows_of(path, count, examples):
    """Which of the `count` rows of a file are about `examples`, integers `(examples,)`.

    The file has one row for each of the examples, or one for each that their source has stored, of
    which `Examples.draw` or `Examples.keep` took these.

    Raises:
        InputError: if it has another number of rows.
    """
    if count == examples.stored_count:
        return examples.stored_rows
    if count == len(examples):
        return np.arange(count)
    whole = ""
    if examples.stored_count > len(examples):
        whole = (
            f"or {examples.stored_count}, one for each example of the source before a part was "
            "drawn (dataset.fraction, probe.fraction) or kept, "
        )
    raise InputError(
        f"The embedding {path} is not one of these examples. Expected {len(examples)} rows, one "
        f"for each example in the order of `examples.ids`, {whole}Received: {count} rows"
    )


def require_rows_of_both(path, examples, support):
    """Raises an `InputError` unless a file has rows for both, by their place in one source.

    One row for each of either of them would leave open whose rows they are.
    """
    shared = examples.provenance["inputs"] == support.provenance["inputs"]
    count = len(open_array(path))
    if not shared or count != examples.stored_count:
        raise InputError(
            f"The embedding {path} does not have the rows of the support. Expected examples and "
            "support out of one source, and a row for each example that it has stored. Received: "
            f"{count} rows for {examples!r} and the support {support!r}. The .keras file of a "
            "model embeds both."
        )


def blocks(stored, rows, path):
    """Blocks of the vectors of examples, `(slice, float32 (block, dimensions))`.

    Args:
        stored: array of `open_array`.
        rows: integers `(examples,)`, the row of each example.
        path: the name of the file in messages.

    Raises:
        InputError: if a vector is not finite in float32.
    """
    size = max(1, _BLOCK // stored.shape[1])
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        with np.errstate(over="ignore"):
            block = stored[rows[part]].astype(np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            row = rows[start + int(np.argmin(finite))]
            raise InputError(
                f"Invalid values in the embedding {path}. Expected finite numbers, in the range "
                f"of float32. Received: NaN, infinity or larger ones, first in row {row}"
            )
        yield part, block


def encoder(path, examples):
    """The model of a `.keras` file, loaded in safe mode and checked to embed `examples`.

    Raises:
        InputError: if it cannot be loaded, does not take the examples, or gives anything but one
            tensor of known shape.
    """
    state = random.getstate()
    try:
        model = loading.load(path)
    finally:
        random.setstate(state)  # Keras draws the seeds of layers from there
    try:
        output = loading.output_for_zeros(model, examples.shape)
    except InputError as error:
        raise InputError(f"The embedding {path} cannot be taken. {error}") from error
    shape = getattr(output, "shape", None)
    if shape is None or not len(shape) or shape[0] != 1:
        received = f"{len(output)} outputs" if shape is None else f"an output of shape {shape}"
        raise InputError(
            f"The model of the embedding {path} does not give one vector for each example. "
            f"Expected one output of shape (examples, ...). Received: {received} for one example"
        )
    return model
