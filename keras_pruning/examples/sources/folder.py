"""`folder:DIR`: images in `train/CLASS/` and `test/CLASS/`, PNG or JPEG."""

import contextlib
import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.sources import decoded_images

ENDINGS = (".png", ".jpg", ".jpeg")


class _File(NamedTuple):
    """An image file. `stamp` changes when its name, size or modification time does."""

    path: str
    id: str
    label: int
    stamp: str


def load(location, split, data_dir=None, image_size=None):
    """Loads uint8 pixels `(examples, height, width, channels)`.

    An id is a path such as `train/cat/001.png`. The classes are the folders below `train`, in
    alphabetical order. There is one channel if all images of both splits are grayscale, otherwise
    there are three. 16-bit images are reduced to their upper 8 bits. Transparent pixels are
    composited onto white. Names that begin with a dot are ignored.

    Args:
        location: folder that contains `train` and `test`.
        split: `"train"` or `"test"`.
        data_dir: not used.
        image_size: height and width in pixels that images are resized to, or `None`.

    Raises:
        InputError: if a folder is missing or empty, if `test` has a class that `train` lacks, if an
            image cannot be read, or if images differ in size and `image_size` is `None`.
    """
    folder = Path(location)
    class_names = _subfolders(folder, "train")
    files = {name: _files(folder, name, class_names) for name in ("train", "test")}
    key = {
        "source": "folder",
        "location": str(folder.resolve()),
        "split": split,
        "classes": class_names,
        "files": hashlib.sha256(
            "\n".join(file.stamp for part in files.values() for file in part).encode()
        ).hexdigest(),
        "image_size": image_size,
    }
    inputs, labels, ids = decoded_images.load(
        key,
        len(files[split]),
        _with_channels(files, split, image_size),
        functools.partial(_decode, image_size=image_size),
    )
    return Examples(inputs, labels, ids, len(class_names), "folder", split, class_names)


def _subfolders(folder, split):
    """Returns the names of the class folders of a split, in alphabetical order."""
    entries = _entries(folder / split, "`train` and `test`, with a folder for each class")
    names = [entry.name for entry in entries if entry.is_dir()]
    if not names:
        raise InputError(
            f"No classes in {folder / split}. Expected a folder of images for each class. "
            f"Received: {len(entries)} entries, none of them a folder"
        )
    return names


def _files(folder, split, class_names):
    """Returns the `_File` of each image of a split, ordered by class and name."""
    unknown = sorted(set(_subfolders(folder, split)) - set(class_names))
    if unknown:
        raise InputError(
            f"Unknown class in {folder / split}. Expected the classes of {folder / 'train'}: "
            f"{', '.join(class_names)}. Received: {', '.join(unknown)}"
        )
    files = [
        _file(entry, f"{split}/{name}/{entry.name}", label)
        for label, name in enumerate(class_names)
        if (folder / split / name).is_dir()
        for entry in _entries(folder / split / name, "images")
        if entry.name.lower().endswith(ENDINGS) and not entry.is_dir()
    ]
    if not files:
        raise InputError(
            f"No images in {folder / split}. Expected files in CLASS folders that end in "
            f"{', '.join(ENDINGS)}. Received: none"
        )
    return files


def _entries(folder, expected):
    """Returns the visible entries of a folder, ordered by name."""
    try:
        with os.scandir(folder) as scanned:
            entries = [entry for entry in scanned if not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}. Expected a folder with {expected}. "
            f"Received: {error.strerror}"
        ) from error
    return sorted(entries, key=lambda entry: entry.name)


def _file(entry, name, label):
    try:
        stat = entry.stat()
        # An id must be valid UTF-8. The file system allows other names.
        name.encode()
    except OSError as error:
        raise _unreadable(entry.path, error.strerror) from error
    except UnicodeEncodeError as error:
        raise _unreadable(ascii(entry.path), "a name that is not UTF-8") from error
    return _File(entry.path, name, label, f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}")


def _with_channels(files, split, image_size):
    """Yields each file of `split` with the number of channels of all images.

    The headers of both splits are read first. Nothing is read if the images are in the cache,
    because nobody iterates then.
    """
    both = files["train"] + files["test"]
    with ThreadPoolExecutor() as pool:
        sizes, is_gray = zip(*pool.map(_header, both), strict=True)
    if image_size is None:
        _require_one_size(both, sizes)
    channels = 1 if all(is_gray) else 3
    for file in files[split]:
        yield file, channels


def _require_one_size(files, sizes):
    # The first image of each size.
    examples = {}
    for file, size in zip(files, sizes, strict=True):
        examples.setdefault(size, file.id)
    if len(examples) > 1:
        shown = [f"{width} × {height} in {name}" for (width, height), name in examples.items()]
        more = f" and {len(shown) - 5} more sizes" if len(shown) > 5 else ""
        raise InputError(
            "Images of different sizes. Expected the same width and height for all. Received: "
            f"{', '.join(shown[:5])}{more}. Set `dataset.image_size` to resize them."
        )


def _header(file):
    """Returns the size of an image and whether it is grayscale, without decoding it."""
    with _opened(file.path) as image:
        return image.size, image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def _decode(item, image_size):
    """Returns pixels, label and id of a file with its number of channels."""
    file, channels = item
    with _opened(file.path) as image:
        pixels = _pixels(image, channels)
    return decoded_images.resized(pixels, image_size), file.label, file.id


def _pixels(image, channels):
    """Returns an open image as uint8 `(height, width, channels)`."""
    from PIL import Image

    if image.mode.startswith("I"):
        # Pillow's own conversion of 16 bits to 8 clips every value above 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    # Composite transparent pixels onto white.
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


@contextlib.contextmanager
def _opened(path):
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            yield image
    except Exception as error:  # Pillow's readers raise errors of any kind.
        raise _unreadable(path, error) from error


def _unreadable(path, reason):
    return InputError(
        f"Cannot read the image {path}. Expected a PNG or JPEG file. Received: {reason}"
    )
