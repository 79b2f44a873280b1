"""Checks that data fit into memory, before any of it is taken."""

from keras_pruning.errors import InputError
from keras_pruning.storage.memory import available_memory

# Fraction of the available memory that one array may take.
_SHARE = 0.9


def require_memory(size, name, mend):
    """Raises an `InputError` if an array is larger than the available memory.

    Args:
        size: number of bytes.
        name: the array in the message, for example the path of its file.
        mend: sentence that says how to go on.
    """
    available = int(available_memory() * _SHARE)
    if size > available:
        raise InputError(
            f"Not enough memory for {name}. Expected at most {available / 2**30:.1f} GiB, the "
            f"available memory. Received: {size / 2**30:.1f} GiB. {mend}"
        )
