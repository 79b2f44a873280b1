"""Reads scores from `.npy` files, one number for each example in the order of the data set."""

import numpy as np

from keras_pruning.errors import InputError

HOW_TO_CONVERT = (
    "Pickles are not read, because they can run code. Load the scores with the program that wrote "
    "them, and store them by `numpy.save('scores.npy', numpy.asarray(scores, 'float32'))`."
)


def read(path, name, ids):
    """Returns the numbers in a `.npy` file of shape `(examples,)` or `(examples, 1)`.

    Args:
        path: path of the file.
        name: name of the score, for messages.
        ids: strings `(examples,)`.

    Raises:
        InputError: if the file is damaged or pickled, or has another shape or number of values.
    """
    try:
        # Not `numpy.load`, which also opens archives and pickles that are named .npy
        stored = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        raise InputError(
            f"Cannot read the scores in {path}. Expected a .npy file of numbers. "
            f"Received: {str(error).splitlines()[0].rstrip('.')}. {HOW_TO_CONVERT}"
        ) from error
    if stored.dtype.kind not in "fiub":
        raise InputError(
            f"Invalid scores `{name}` in {path}. Expected numbers. Received: {stored.dtype}"
        )
    # Scores as a column are one number for each example too
    values = stored[:, 0] if stored.ndim == 2 and stored.shape[1] == 1 else stored
    if values.ndim != 1:
        raise InputError(
            f"Invalid scores `{name}` in {path}. Expected one number for each example, shape "
            f"({len(ids)},). Received: shape {stored.shape}. Take the mean over seeds or epochs, "
            "if these are the other axis."
        )
    if len(values) != len(ids):
        raise InputError(
            f"The scores in {path} are of other examples. Expected {len(ids):,} values, one for "
            f"each example in the order of the data set. Received: {len(values):,}. Load the same "
            "split, without `fraction`, or use a CSV file with the columns id and score."
        )
    # A copy, because the file may change
    return np.array(values)
