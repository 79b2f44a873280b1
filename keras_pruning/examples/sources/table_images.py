"""Images whose paths are a column of a table."""

import hashlib
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.ids import checked_ids
from keras_pruning.examples.sources import listed_images
from keras_pruning.examples.sources.listed_files import File, state_of


def load(location, paths, ids, labels, rows, **options):
    """Returns the `Decoded` images of some rows of a table.

    Args:
        location: path of the table.
        paths: paths of the images of all rows, absolute or relative to the folder of the table.
        ids: ids of all rows, strings or integers.
        labels: integers, the labels of the chosen rows.
        rows: booleans, which rows are chosen.
        **options: `image_size` and `skip_broken`, as for `listed_images.load`.

    Raises:
        InputError: if a path is not text, if ids repeat, or as `listed_images.load` does.
    """
    if paths.dtype != object:
        raise InputError(
            f"Invalid `image_column`. Expected paths of images in {location}. Received: "
            f"{paths.dtype}"
        )
    ids, folder = checked_ids(ids), Path(location).parent
    numbers = np.zeros(len(rows), int)
    numbers[rows] = labels
    listed = [
        File(str(name), int(number), str(folder / path))
        for name, number, path in zip(ids, numbers, paths, strict=True)
    ]
    # The images of all rows decide the size and the channels.
    files = [file for file, is_chosen in zip(listed, rows, strict=True) if is_chosen]
    others = [file for file, is_chosen in zip(listed, rows, strict=True) if not is_chosen]
    digest = hashlib.sha256()
    for file, is_chosen in zip(listed, rows, strict=True):
        state = (*file, state_of(file.path), bool(is_chosen))
        digest.update(ascii(state).encode())
    key = {
        "source": "table",
        "location": str(Path(location).resolve()),
        "files": digest.hexdigest(),
    }
    return listed_images.load(key, files, others, **options)


def require_none(location, image_size, skip_broken):
    """Raises an `InputError` if a table without a column of images gets options of images."""
    for name, value in (("image_size", image_size), ("skip_broken", skip_broken or None)):
        if value is not None:
            raise InputError(
                f"Invalid `{name}`. Expected none, because {location} has no `image_column`. "
                f"Received: {name}={value}"
            )
