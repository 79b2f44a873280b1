"""`idx:DIR`: the four IDX files of MNIST or a data set in its format, with or without gzip."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.inputs import PIXEL_SCALE, Inputs, filled
from keras_pruning.examples.memory import require_memory

# First word of the file names of each split.
PREFIX = {"train": "train", "test": "t10k"}


def load(location, split, data_dir=None, image_size=None):
    """Loads uint8 pixels `(examples, height, width, 1)`.

    An id is the split and the position in the file.

    Args:
        location: folder of the files.
        split: `"train"` or `"test"`.
        data_dir: not used.
        image_size: not used.

    Raises:
        InputError: if a file is missing, damaged, or not an IDX file of uint8, or if it does not
            fit into memory.
    """
    images = _read(Path(location), f"{PREFIX[split]}-images-idx3-ubyte", 3)[..., np.newaxis]
    labels = _read(Path(location), f"{PREFIX[split]}-labels-idx1-ubyte", 1)
    # The training labels decide the number of classes, for both splits.
    train_labels = (
        labels
        if split == "train"
        else _read(Path(location), f"{PREFIX['train']}-labels-idx1-ubyte", 1)
    )
    ids = [f"{split}-{position:05d}" for position in range(len(images))]
    num_classes = int(train_labels.max(initial=0)) + 1
    return Examples(Inputs(images, PIXEL_SCALE), labels, ids, num_classes, "idx", split)


def _read(folder, name, dimensions):
    """Returns the array in an IDX file, uint8 of that many dimensions."""
    path = next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)
    if path is None:
        raise InputError(f"Missing file. Expected {name} or {name}.gz in the folder {folder}.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            shape = _shape(path, file, dimensions)
            # The header is known before memory is taken or more is decompressed.
            require_memory(math.prod(shape), path, "Use a machine with more memory.")
            array = filled(shape, np.uint8, file)
            # The end of a gzip file checks its checksum. A rest is not read.
            if file.read(1):
                raise InputError(
                    f"Invalid IDX file {path}. Expected {math.prod(shape)} bytes for shape "
                    f"{shape}. Received: more"
                )
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"Cannot read {path}: {reason}. The file may be truncated.") from error
    return array


def _shape(path, file, dimensions):
    """Reads the header of an open IDX file and returns the shape in it."""
    header = file.read(4 + 4 * dimensions)
    # Check the magic number: two zero bytes, the type (8 is uint8), the number of dimensions.
    if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(
            f"Invalid IDX file {path}. Expected uint8 of {dimensions} dimensions. "
            f"Received: a file that begins with the bytes {header[:4].hex(' ')}"
        )
    # The size of each dimension follows, as a big-endian uint32.
    return tuple(np.frombuffer(header, ">u4", dimensions, 4).tolist())
