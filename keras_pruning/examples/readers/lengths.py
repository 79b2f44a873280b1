"""Checks that a data set has the examples that a subset was selected from."""

from keras_pruning.errors import InputError


def require_length(count, mask):
    """Raises an `InputError` unless a data set has as many examples as a mask.

    Args:
        count: number of examples in the data set.
        mask: booleans, one for each example that the subset was selected from.
    """
    if count != len(mask):
        raise InputError(
            f"The data set has other examples. Expected {len(mask)}, as the subset was selected "
            f"from. Received: {count}"
        )
