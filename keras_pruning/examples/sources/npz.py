"""`npz:FILE`: arrays `x_train, y_train, x_test, y_test`, as `keras.datasets` stores them."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.inputs import PIXEL_SCALE, Inputs
from keras_pruning.examples.labels import checked_labels


def load(location, split, data_dir=None, image_size=None):
    """Loads the arrays without changing values. Images `(N, height, width)` gain a channel axis.

    An id is the split and the position in the array.

    Args:
        location: path of the file.
        split: `"train"` or `"test"`.
        data_dir: not used.
        image_size: not used.

    Raises:
        InputError: if the file is missing or damaged, lacks an array, or holds arrays that
            `Examples` does not accept.
    """
    names = [f"x_{split}", f"y_{split}", "y_train"]
    try:
        with np.load(location) as stored:
            arrays = {name: stored[name] for name in names if name in stored}
            received = list(stored)
    except Exception as error:  # NumPy, zipfile and zlib raise errors of their own.
        raise InputError(f"Cannot read {location} as an .npz file: {error}") from error
    if any(name not in arrays for name in names):
        raise InputError(
            f"Missing arrays in {location}. Expected x_train, y_train, x_test, y_test. "
            f"Received: {', '.join(received) or 'none'}"
        )
    x, y, train_labels = (arrays[name] for name in names)
    if x.ndim == 3:
        x = x[..., np.newaxis]
    # The training labels decide the number of classes, for both splits.
    num_classes = checked_labels(train_labels, np.inf).max(initial=-1) + 1
    inputs = Inputs(x, PIXEL_SCALE if x.dtype == np.uint8 else None)
    ids = [f"{split}-{position:05d}" for position in range(len(x))]
    return Examples(inputs, y, ids, num_classes, "npz", split)
