"""Checks of the columns of tables: labels, booleans and scores."""

import numpy as np

from keras_pruning.errors import InputError

# Columns of files that are no scores.
RESERVED = ("id", "label", "kept", "extrapolated")
# Numbers of classes index arrays of counts.
_MOST_CLASSES = 2**24


def checked_labels(labels, length):
    """Returns the labels as int64 `(examples,)`, read-only.

    Raises:
        InputError: if they are no integers >= 0, or not one for each id.
    """
    array = np.asarray(labels)
    _require_column("labels", array, "iu", "integers >= 0", length)
    array = array.astype(np.int64, copy=False)
    if np.ma.is_masked(labels) or (array < 0).any():
        received = "masked values" if np.ma.is_masked(labels) else f"{array.min()}"
        raise InputError(f"Invalid `labels`. Expected integers >= 0. Received: {received}")
    if array.max(initial=0) >= _MOST_CLASSES:
        raise InputError(
            f"Invalid `labels`. Expected the numbers of classes, below {_MOST_CLASSES:,}. "
            f"Received: {array.max()}. Count the classes from 0."
        )
    return _read_only(array)


def checked_booleans(name, values, length):
    """Returns the values as booleans `(examples,)`, read-only.

    Raises:
        InputError: if they are neither booleans nor 0 and 1, or not one for each id.
    """
    array = np.asarray(values)
    _require_column(name, array, "biu", "booleans", length)
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise InputError(f"Invalid `{name}`. Expected booleans. Received: {array.max()} among them")
    return _read_only(array.astype(bool, copy=False))


def checked_scores(columns, length):
    """Returns a dictionary of scores as float32 `(examples,)`, read-only.

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
    return _read_only(array)


def _read_only(array):
    """Returns an array whose values stay, a copy if somebody else could change them."""
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _require_column(name, array, kinds, expected, length):
    """Raises an `InputError` unless an array has one of some kinds and one value an example."""
    if array.shape != (length,) or (array.dtype.kind not in kinds and array.size):
        raise InputError(
            f"Invalid `{name}`. Expected {expected} of shape ({length},), one an example. "
            f"Received: {array.dtype} of shape {array.shape}"
        )
