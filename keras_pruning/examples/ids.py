"""Checks ids: unique strings that every file of this package can hold."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import require_unmasked
from keras_pruning.examples.memory import require_memory


def checked_ids(ids):
    """Returns the ids as an array of strings `(examples,)`.

    Args:
        ids: strings or integers `(examples,)` or `(examples, 1)`.

    Raises:
        InputError: if there is another type or shape, if an id contains a NUL or is not valid
            Unicode, or if two ids are equal as strings.
    """
    require_unmasked("ids", ids)
    entries = np.asarray(ids, dtype=object)
    if entries.ndim == 2 and entries.shape[1] == 1:
        entries = entries[:, 0]
    if entries.ndim != 1:
        received = f"a {type(ids).__name__}" if entries.ndim == 0 else f"shape {entries.shape}"
        raise InputError(f"Invalid `ids`. Expected shape (N,). Received: {received}")
    names = entries.tolist()
    # Ids of a file are strings already, which is checked a hundred times faster.
    if not all(type(entry) is str for entry in names):
        names = _as_strings(names)
    _require_storable(names)
    _require_unique(names)
    # NumPy gives every entry the space of the longest one, 4 bytes for each character.
    size = 4 * len(names) * max(map(len, names), default=0)
    require_memory(size, "`ids`", "Use shorter ids.")
    return np.array(names, dtype=str)


def _as_strings(entries):
    """Returns strings and integers as strings. Raises an `InputError` for any other type."""
    for position, entry in enumerate(entries):
        is_name = isinstance(entry, (str, int, np.integer)) and not isinstance(entry, bool)
        if not is_name:
            raise _invalid("strings or integers", entry, position)
    return [str(entry) for entry in entries]


def _require_storable(names):
    """Raises an `InputError` if an id would be changed by NumPy or refused by a file."""
    text = "".join(names)
    if "\0" not in text and text.isascii():
        return
    # Find the first one
    for position, name in enumerate(names):
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
