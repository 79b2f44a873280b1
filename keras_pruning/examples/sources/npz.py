"""`npz:FILE`: arrays `x_train, y_train, x_test, y_test`, as `keras.datasets` stores them."""

import math
import zipfile
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import nested
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.export_mark import MARK, marked
from keras_pruning.examples.given_inputs import Taken, given_inputs
from keras_pruning.examples.given_labels import given_labels
from keras_pruning.examples.inputs import PIXEL_SCALE, Inputs, filled
from keras_pruning.examples.memory import require_memory

# Functions that read the header of an array, by the version of its format.
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def load(location, split, data_dir=None, image_size=None):
    """Loads the arrays. Images `(N, height, width)` gain a channel axis.

    Batches scale uint8 to [0, 1] and have all other values as they are. An id is the split and the
    position in the array. A file of `export` has the ids, the class names, the scale and the
    structure of the exported examples instead.

    Args:
        location: path of the file.
        split: `"train"` or `"test"`.
        data_dir: not used.
        image_size: not used.

    Raises:
        InputError: if the file is missing or damaged, lacks an array, does not fit into memory, or
            holds arrays that `Examples` does not accept.
    """
    arrays = _arrays(location, split)
    if MARK in arrays:
        return _exported(location, split, arrays)
    x, y, train_labels = arrays[f"x_{split}"], arrays[f"y_{split}"], arrays["y_train"]
    if x.ndim == 3:
        x = x[..., np.newaxis]
    # The training labels decide the classes, for both splits.
    classes = given_labels(train_labels)
    labels = given_labels(y, classes.num_classes, classes.class_names)
    inputs = Inputs(x, PIXEL_SCALE if x.dtype == np.uint8 else None)
    ids = [f"{split}-{position:05d}" for position in range(len(x))]
    numbers, num_classes, names = labels
    return Examples(inputs, numbers, ids, num_classes, "npz", split, names)


def _exported(location, split, arrays):
    """Returns the examples of a file that `export` has written."""
    name, content = f"x_{split}", marked(str(arrays[MARK]), location)
    x = {key: array for key, array in arrays.items() if key.partition("/")[0] == name}
    # Texts are copied into Arrow arrays, and numbers stay in the arrays that were read.
    x = {key: array if array.dtype.kind == "U" else Taken(array) for key, array in x.items()}
    labels, ids = arrays[f"y_{split}"], arrays[f"ids_{split}"]
    names = arrays["class_names"].tolist()
    inputs = given_inputs(nested(x, name), len(labels), content.get("scale"))
    return Examples(inputs, labels, ids, len(names), "npz", split, names)


def _arrays(location, split):
    """Returns a dictionary of the arrays of an .npz file that a split needs."""
    try:
        # A pipe or a device might not end.
        if Path(location).exists() and not Path(location).is_file():
            raise OSError(None, "not a file")
        with zipfile.ZipFile(location) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            names = _names(location, split, members)
            return {name: _array(location, archive, members[name]) for name in names}
    except InputError:
        raise
    except Exception as error:  # NumPy, zipfile and zlib raise errors of their own.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"Cannot read {location} as an .npz file: {reason}") from error


def _names(location, split, members):
    """Returns the names of the arrays that a split needs.

    Raises:
        InputError: if one is missing.
    """
    names, expected = [f"x_{split}", f"y_{split}", "y_train"], "x_train, y_train, x_test, y_test"
    if MARK in members:
        inputs = [name for name in members if name.partition("/")[0] == names[0]]
        names = [*(inputs or names[:1]), names[1], f"ids_{split}", "class_names", MARK]
        expected = ", ".join(names)
    if any(name not in members for name in names):
        raise InputError(
            f"Missing arrays in {location}. Expected {expected}. "
            f"Received: {', '.join(members) or 'none'}"
        )
    return names


def _array(location, archive, name):
    """Returns one array of an open archive, after a check of its size and dtype."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        shape, is_fortran, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
        if dtype.hasobject:
            raise InputError(
                f"Unsafe array {name} in {location}. Expected numbers. Received: pickled Python "
                "objects, which are never loaded"
            )
        expected = math.prod(shape) * dtype.itemsize
        if size - file.tell() != expected:
            raise InputError(
                f"Damaged array {name} in {location}. Expected {expected} bytes for shape {shape}. "
                f"Received: {size - file.tell()}"
            )
        require_memory(
            expected,
            f"{name} in {location}",
            "Use a memory map of an .npy file in Python, or images in a folder or a TFDS data set.",
        )
        if is_fortran:
            return filled(shape[::-1], dtype, file).T
        return filled(shape, dtype, file)
