"""Checks ids: unique strings that every file of this package can hold."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import require_unmasked

# Ids that are checked at a time.
_BLOCK = 2**16
# Bytes up to which ids are stored at a fixed width, 4 bytes for each character of the longest id.
_FIXED_WIDTH = 2**28
# Refuses entries that are not strings.
_STRINGS = np.dtypes.StringDType(coerce=False)


def checked_ids(ids):
    """Returns the ids as an array of strings `(examples,)`.

    The dtype is `U`, or NumPy's `StringDType` if the ids would take more than 256 MiB as `U`.

    Args:
        ids: strings or integers `(examples,)` or `(examples, 1)`.

    Raises:
        InputError: if there is another type or shape, if an id contains a NUL or is not valid
            Unicode, or if two ids are equal as strings.
    """
    entries = _one_axis(ids)
    stored = np.empty(len(entries), _STRINGS)
    hashes = np.empty(len(entries), np.int64)
    longest = 1
    for start in range(0, len(entries), _BLOCK):
        block = slice(start, start + _BLOCK)
        names = _as_strings(entries[block].tolist(), start)
        _require_storable(names, start)
        stored[block] = names
        # Equal strings have equal hashes, which take less memory than a set of the strings.
        hashes[block] = np.fromiter(map(hash, names), np.int64, len(names))
        longest = max(longest, *map(len, names))
    hashes.sort()
    if (hashes[1:] == hashes[:-1]).any():
        _require_unique(stored.tolist())
    fits = 4 * longest * len(stored) <= _FIXED_WIDTH
    return stored.astype(f"U{longest}") if fits else stored


def are_among(ids, others):
    """Returns whether each id is one of the others, booleans `(examples,)`.

    Not `numpy.isin`, whose time grows with the square of the number of ids in a `StringDType`.

    Args:
        ids: strings `(examples,)`.
        others: strings `(others,)`.
    """
    others = set(others.tolist())
    blocks = (ids[start : start + _BLOCK].tolist() for start in range(0, len(ids), _BLOCK))
    return np.fromiter((name in others for block in blocks for name in block), bool, len(ids))


def _one_axis(ids):
    """Returns ids of any kind as an array `(examples,)`."""
    require_unmasked("ids", ids)
    # A list becomes objects, because NumPy would turn numbers beside strings into strings.
    entries = ids if isinstance(ids, np.ndarray) else np.asarray(ids, dtype=object)
    if entries.ndim == 2 and entries.shape[1] == 1:
        entries = entries[:, 0]
    if entries.ndim != 1:
        received = f"a {type(ids).__name__}" if entries.ndim == 0 else f"shape {entries.shape}"
        raise InputError(f"Invalid `ids`. Expected shape (N,). Received: {received}")
    return entries


def _as_strings(entries, start):
    """Returns strings and integers as strings. Raises an `InputError` for any other type.

    Args:
        entries: list of ids.
        start: position of the first one among all ids, for the message.
    """
    # Ids of a file are strings already, which is checked a hundred times faster.
    if all(type(entry) is str for entry in entries):
        return entries
    for position, entry in enumerate(entries, start):
        is_name = isinstance(entry, (str, int, np.integer)) and not isinstance(entry, bool)
        if not is_name:
            raise _invalid("strings or integers", entry, position)
    return [str(entry) for entry in entries]


def _require_storable(names, start):
    """Raises an `InputError` if an id would be changed by NumPy or refused by a file."""
    text = "".join(names)
    if "\0" not in text and text.isascii():
        return
    # Find the first one
    for position, name in enumerate(names, start):
        if "\0" in name:
            raise _invalid("strings without NUL characters", name, position)
        try:
            name.encode()
        except UnicodeEncodeError:
            raise _invalid("valid Unicode, without lone surrogates", name, position) from None


def _require_unique(names):
    if len(set(names)) == len(names):
        return
    positions = {}
    for position, name in enumerate(names):
        first = positions.setdefault(name, position)
        if first != position:
            more = len(names) - len(set(names)) - 1
            others = f", and {more:,} more that repeat" if more else ""
            raise InputError(
                "Invalid `ids`. Expected unique ids. "
                f"Received: {name!r} at positions {first} and {position}{others}"
            )


def _invalid(expected, entry, position):
    text = ascii(entry)
    return InputError(
        f"Invalid `ids`. Expected {expected}. "
        f"Received: {text if len(text) <= 80 else text[:77] + '...'} ({type(entry).__name__}) at "
        f"position {position}"
    )
