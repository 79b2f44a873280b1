"""`npz:FILE`: arrays `x_train, y_train, x_test, y_test`, as `keras.datasets` stores them."""

import zipfile

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.inputs import Inputs


def load(location, split, data_dir=None, image_size=None):
    """The arrays as they are; images `(N, height, width)` gain a channel axis.

    An id is the split and the position in the array.
    """
    try:
        with np.load(location) as arrays:
            names = [f"x_{split}", f"y_{split}", "y_train"]
            missing = [name for name in names if name not in arrays]
            if missing:
                raise InputError(
                    f"Missing arrays in {location}. Expected x_train, y_train, x_test, y_test. "
                    f"Received: {', '.join(arrays) or 'none'}"
                )
            x, y, train_labels = (arrays[name] for name in names)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"Cannot read {location} as an .npz file: {error}") from error
    if x.ndim == 3:
        x = x[..., np.newaxis]
    num_classes = int(train_labels.max(initial=0)) + 1
    ids = [f"{split}-{position:05d}" for position in range(len(x))]
    return Examples(Inputs(x), y, ids, num_classes, "npz", split)
