"""Checks of the columns of tables: ids, labels, booleans and scores."""

import numbers

import numpy as np

from keras_pruning.errors import InputError

# Columns of files that are no scores.
RESERVED = ("id", "label", "kept", "extrapolated")


def checked_ids(ids):
    """Returns the ids as an array of strings `(examples,)`.

    Raises:
        InputError: if an id is neither a string nor an integer, or if a character cannot be stored.
    """
    array = np.asarray(ids)
    # NumPy drops NUL at the end of a string, so look at the strings before they become an array.
    if array.dtype.kind == "O" or (array.dtype.kind == "U" and isinstance(ids, list | tuple)):
        for position, value in enumerate(ids if array.ndim == 1 else []):
            is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
            if not (is_integer or (isinstance(value, str) and "\0" not in value)):
                raise _invalid_ids(f"{value!r} at position {position}")
    elif array.dtype.kind not in "UTiu" and array.size:
        raise _invalid_ids(f"{array.dtype} of shape {array.shape}")
    if array.ndim != 1:
        raise _invalid_ids(f"{array.dtype} of shape {array.shape}")
    texts = np.ascontiguousarray(array, dtype=str)
    codes = texts.view(np.uint32).reshape(len(texts), -1)
    invalid = (codes >= 0xD800) & (codes < 0xE000)
    # A NUL before another character is part of the id. The others fill the array.
    invalid[:, :-1] |= (codes[:, :-1] == 0) & (codes[:, 1:] != 0)
    if invalid.any():
        position = int(np.argmax(invalid.any(axis=1)))
        raise _invalid_ids(f"{str(texts[position])!r} at position {position}")
    return texts


def checked_labels(labels, length):
    """Returns the labels as int64 `(examples,)`.

    Raises:
        InputError: if they are no integers >= 0, or not one for each id.
    """
    array = np.asarray(labels)
    _require_column("labels", array, "iu", "integers >= 0", length)
    array = array.astype(np.int64)
    if np.ma.is_masked(labels) or (array < 0).any():
        received = "masked values" if np.ma.is_masked(labels) else f"{array.min()}"
        raise InputError(f"Invalid `labels`. Expected integers >= 0. Received: {received}")
    return array


def checked_booleans(name, values, length):
    """Returns the values as booleans `(examples,)`.

    Raises:
        InputError: if they are neither booleans nor 0 and 1, or not one for each id.
    """
    array = np.asarray(values)
    _require_column(name, array, "biu", "booleans", length)
    if not np.isin(array, (0, 1)).all():
        raise InputError(f"Invalid `{name}`. Expected booleans. Received: {array.max()} among them")
    return array.astype(bool)


def checked_scores(columns, length):
    """Returns a dictionary of scores as float32 `(examples,)`.

    Raises:
        InputError: if a column has another length or values that are no finite numbers.
    """
    return {name: _checked_score(name, values, length) for name, values in columns.items()}


def _checked_score(name, values, length):
    array = np.asarray(values)
    if array.dtype.kind not in "fiub" and array.size:
        raise InputError(f"Invalid scores `{name}`. Expected numbers. Received: {array.dtype}")
    if array.shape != (length,):
        raise InputError(
            f"Invalid scores `{name}`. Expected shape ({length},), one value an example. "
            f"Received: {array.shape}"
        )
    # A number beyond float32 becomes infinite, which is refused below.
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if np.ma.is_masked(values) or not np.isfinite(array).all():
        invalid = np.ma.getmaskarray(values) | ~np.isfinite(array)
        raise InputError(
            f"Invalid scores `{name}`. Expected finite numbers. Received: NaN or infinity, "
            f"first at position {int(np.argmax(invalid))}"
        )
    return array


def _require_column(name, array, kinds, expected, length):
    """Raises an `InputError` unless an array has one of some kinds and one value an example."""
    if array.shape != (length,) or (array.dtype.kind not in kinds and array.size):
        raise InputError(
            f"Invalid `{name}`. Expected {expected} of shape ({length},), one an example. "
            f"Received: {array.dtype} of shape {array.shape}"
        )


def _invalid_ids(received):
    return InputError(
        "Invalid `ids`. Expected strings or integers of shape (N,), without the character NUL and "
        f"without lone surrogates. Received: {received}"
    )
