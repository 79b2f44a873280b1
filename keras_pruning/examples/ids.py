"""Checks ids: unique strings that every file of this package can hold."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import require_unmasked
from keras_pruning.examples.strings import (
    STRINGS,
    array_blocks,
    arrow_blocks,
    as_arrow,
    hashes,
    longest,
)

# Ids that are checked at a time.
_BLOCK = 2**16
# Bytes up to which ids are stored at a fixed width, 4 bytes for each character of the longest id.
_FIXED_WIDTH = 2**28
# Bits of a hash by which candidates for a repeated id are marked.
_MARKED_BITS = 22


def checked_ids(ids):
    """Returns the ids as an array of strings `(examples,)`, which is read-only.

    The dtype is `U`, or NumPy's `StringDType` if the ids would take more than 256 MiB as `U`.

    Args:
        ids: strings or integers `(examples,)` or `(examples, 1)`, or an Arrow column of strings.

    Raises:
        InputError: if there is another type or shape, if an id contains a NUL or is not valid
            Unicode, or if two ids are equal as strings.
    """
    column = _column(ids)
    ids = _one_axis(ids) if column is None else column
    stored, hashed, start = np.empty(len(ids), STRINGS), np.empty(len(ids), np.uint64), 0
    for names in _blocks(ids) if column is None else arrow_blocks(ids):
        if isinstance(names, list):
            _require_storable(names, start)
        block = slice(start, start + len(names))
        stored[block] = names
        hashed[block] = hashes(stored[block] if isinstance(names, list) else names)
        start += len(names)
    _require_unique(stored, hashed)
    length = max(1, longest(stored))
    if 4 * length * len(stored) <= _FIXED_WIDTH:
        stored = stored.astype(f"U{length}")
    # Results keep a digest of their ids
    stored.flags.writeable = False
    return stored


def are_among(ids, others):
    """Returns whether each id is one of the others, booleans `(examples,)`.

    Not `numpy.isin`, whose time grows with the square of the number of ids in a `StringDType`.

    Args:
        ids: strings `(examples,)`.
        others: strings `(others,)`.
    """
    import pyarrow.compute as pc

    among = pc.is_in(as_arrow(ids), value_set=as_arrow(others))
    return np.asarray(among.to_numpy(), bool)


def _column(ids):
    """Returns the ids as an Arrow column if they are one of strings, or an array of many integers.

    The result is `None` for any other ids.
    """
    import pyarrow as pa

    if isinstance(ids, pa.ChunkedArray):
        return ids if pa.types.is_string(ids.type) and not ids.null_count else None
    # Such as the positions in a data set without ids
    is_many = type(ids) is np.ndarray and ids.ndim == 1 and len(ids) > _BLOCK
    if is_many and ids.dtype.kind in "iu" and ids.dtype.isnative:
        return pa.chunked_array([pa.array(ids).cast(pa.string())])
    return None


def _blocks(ids):
    """Yields the ids of an array as lists of strings, or as `array_blocks` does."""
    if ids.dtype.kind == "U" or ids.dtype == STRINGS:
        yield from array_blocks(ids)
        return
    for start in range(0, len(ids), _BLOCK):
        yield _as_strings(ids[start : start + _BLOCK].tolist(), start)


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


def _require_unique(names, hashed):
    """Raises an `InputError` that names the first id that repeats.

    Args:
        names: strings `(examples,)`.
        hashed: their `hashes`. They take less memory than a set of the strings.
    """
    rows = _repeating(hashed)
    positions, more, message = {}, 0, None
    for position, name in zip(rows.tolist(), names[rows].tolist(), strict=True):
        first = positions.setdefault(name, position)
        if first != position:
            more += message is not None
            message = message or f"{name!r} at positions {first} and {position}"
    if message:
        others = f", and {more:,} more that repeat" if more else ""
        raise InputError(f"Invalid `ids`. Expected unique ids. Received: {message}{others}")


def _repeating(hashed):
    """Returns the positions of the values that are there more than once, ascending.

    Args:
        hashed: uint64 `(values,)`.
    """
    # Half of the bits are sorted in half the time. Few of them repeat by chance
    upper = (hashed >> np.uint64(32)).astype(np.uint32)
    repeated = _repeated(upper)
    marked = np.zeros(2**_MARKED_BITS, bool)
    marked[repeated >> (32 - _MARKED_BITS)] = True
    rows = np.flatnonzero(marked[upper >> (32 - _MARKED_BITS)])
    return rows[np.isin(hashed[rows], _repeated(hashed[rows]))]


def _repeated(values):
    ordered = np.sort(values)
    return ordered[1:][ordered[1:] == ordered[:-1]]


def _invalid(expected, entry, position):
    text = ascii(entry)
    return InputError(
        f"Invalid `ids`. Expected {expected}. "
        f"Received: {text if len(text) <= 80 else text[:77] + '...'} ({type(entry).__name__}) at "
        f"position {position}"
    )
