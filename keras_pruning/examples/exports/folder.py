"""`folder`: images in a folder for each class, copied or linked, or written as PNG."""

import os
import shutil

import numpy as np
from PIL import Image

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import described
from keras_pruning.examples.exports.file_names import class_folders, file_names
from keras_pruning.examples.exports.stored_blocks import blocks
from keras_pruning.examples.sources.folder_layout import layout_of
from keras_pruning.storage.csv_files import write_csv

IDS = "ids.csv"
LINKS = {"symbolic": os.symlink, "hard": os.link}


def write(examples, folder, path, link=None):
    """Writes the images, and `ids.csv` with the columns `file`, `id`, `label` and `class_name`.

    Files of a `folder:` source keep their bytes and their paths, which are their ids. Other images
    become `SPLIT/CLASS/ID.png`, with the characters of the id that no file name may have as `%XX`.

    Args:
        examples: `Examples`.
        folder: new folder.
        path: not used.
        link: `"symbolic"` or `"hard"` to link the files of a `folder:` source, `None` to copy them.

    Raises:
        InputError: if the inputs are not 8-bit images, if a class has no example, if a label is
            not the folder of its file, or if files cannot be linked.
    """
    _require_link(examples, link)
    if examples.folder is None:
        _require_pixels(examples)
    _require_every_class(examples)
    # Write or place the images, then the list of their ids.
    if examples.folder is None:
        files = _write_pixels(examples, folder)
    else:
        files = _of_source(examples)
        place = shutil.copyfile if link is None else LINKS[link]
        for file in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            _place(place, os.path.realpath(examples.folder / file), target, link)
    names = examples.class_names
    rows = zip(files, examples.ids, examples.labels, strict=True)
    header = ["file", "id", "label", "class_name"]
    write_csv(folder / IDS, header, ((*row[:2], int(row[2]), names[row[2]]) for row in rows))


def _write_pixels(examples, folder):
    """Writes every image as PNG, and returns their paths below the folder."""
    classes = class_folders(examples.class_names)
    for name in classes:
        (folder / examples.split / name).mkdir(parents=True)
    files = [
        f"{examples.split}/{classes[label]}/{name}.png"
        for label, name in zip(examples.labels, file_names(examples.ids.tolist()), strict=True)
    ]
    for rows, images in blocks(examples):
        for row, pixels in zip(rows, images, strict=True):
            # Pillow has no images with a channel axis of length 1.
            pixels = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
            Image.fromarray(pixels).save(folder / files[row])
    return files


def _of_source(examples):
    """Returns the paths of the files below the folder of a `folder:` source, which are the ids.

    Raises:
        InputError: if a label is not the folder of its file, as after label noise.
    """
    part = layout_of(examples.folder).parts[examples.split]
    prefix = "" if part == "." else f"{part}/"
    files = examples.ids.tolist()
    for file, label in zip(files, examples.labels, strict=True):
        name = examples.class_names[label]
        if not file.startswith(f"{prefix}{name}/"):
            raise InputError(
                f"The label of {file!r} is not the folder of the file. Expected the class of the "
                f"folder. Received: {name!r}. Export changed labels as tfds, npz or parquet."
            )
    return files


def _place(place, source, target, link):
    """Copies or links one file."""
    try:
        place(source, target)
    except OSError as error:
        mend = f"Expected one that can be linked. Received: {link!r}. Leave out `link` to copy it."
        if link is None:
            mend = "Expected a file that can be read and a disk with room. Received: neither or one"
        raise InputError(f"Cannot export {source}: {error.strerror or error}. {mend}") from error


def _require_link(examples, link):
    if link is not None and examples.folder is None:
        raise InputError(
            "Nothing to link. Expected examples of a source `folder:DIR`, whose files exist. "
            f"Received: link={link!r} for {examples!r}. Leave out `link` to write PNG files."
        )


def _require_pixels(examples):
    """Raises an `InputError` unless the inputs are 8-bit images that PNG files give back."""
    # A structure of several arrays has no dtype.
    dtype = getattr(examples.stored_inputs(np.arange(0)), "dtype", None)
    shape = examples.shape
    if dtype == np.uint8 and 2 <= len(shape) <= 3 and shape[2:] in ((), (1,), (3,)) and all(shape):
        return
    raise InputError(
        "Cannot export these inputs as images. Expected uint8 of shape (height, width), or with 1 "
        f"or 3 channels. Received: {described(examples.spec)}"
        f"{'' if dtype is None else f', stored as {dtype}'}. Use the format tfds, npz or parquet."
    )


def _require_every_class(examples):
    """Raises an `InputError` if a class has no example to train on. An empty folder is no class."""
    counts = np.bincount(examples.labels, minlength=examples.num_classes)
    lost = [examples.class_names[label] for label in np.flatnonzero(counts == 0)]
    # The test part of a folder may lack a class.
    if lost and examples.split != "test":
        raise InputError(
            "Classes without an example. Expected at least one in each, because the classes of a "
            f"folder are those with files. Received: none in {', '.join(map(repr, lost[:5]))}. "
            "Set a `quota` in the selection, or use the format tfds, npz or parquet."
        )
