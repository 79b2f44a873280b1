"""`folder:DIR`: images in `train/CLASS/` and `test/CLASS/`: PNG, JPEG, BMP or WebP."""

import collections
import contextlib
import functools
import hashlib
import itertools
import os
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.sources import decoded_images
from keras_pruning.examples.sources.image_files import pixels_of, size_and_is_gray

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Folders that macOS adds to archives.
_IGNORED_FOLDERS = ("__MACOSX",)
# Files that file managers add, which nobody misses.
_IGNORED_FILES = ("thumbs.db", "desktop.ini")
# Number of headers that are read at a time.
_BLOCK = 4096


class _File(NamedTuple):
    """An image file, by its id, which is its path in the folder, and its label."""

    id: str
    label: int


class _Scan:
    """The image files of a folder in order, a hash of their state, and counts of other files.

    Args:
        folder: path of the folder that contains `train` and `test`.
    """

    def __init__(self, folder):
        self.folder = folder
        self.class_names = _subfolders(folder, "train")
        self.left_out = {split: collections.Counter() for split in ("train", "test")}
        self._digest = hashlib.sha256()
        self.files = {split: self._files(split) for split in ("train", "test")}

    @property
    def digest(self):
        """Hash that changes with the name, the size, a time or the inode of any file."""
        return self._digest.hexdigest()

    def path(self, file):
        """Returns the path of a `_File`."""
        return os.path.join(self.folder, file.id)

    def _files(self, split):
        """Returns the `_File` of each image of a split, ordered by class and name."""
        unknown = sorted(set(_subfolders(self.folder, split)) - set(self.class_names))
        if unknown:
            raise InputError(
                f"Unknown class in {self.folder / split}. Expected the classes of "
                f"{self.folder / 'train'}: {', '.join(self.class_names)}. "
                f"Received: {', '.join(unknown)}"
            )
        for name in _IGNORED_FOLDERS:
            if (self.folder / split / name).is_dir():
                self.left_out[split][f"the folder {name}"] += 1
        files = []
        for label, name in enumerate(self.class_names):
            if (self.folder / split / name).is_dir():
                images = self._images(split, name, label)
                if not images:
                    self.left_out[split][f"the class {name!r} without images"] += 1
                files += images
        if not files:
            raise InputError(
                f"No images in {self.folder / split}. Expected files in CLASS folders that end in "
                f"{', '.join(ENDINGS)}. Received: none"
            )
        return files

    def _images(self, split, name, label):
        entries = _entries(self.folder / split / name, "images")
        return [
            self._file(entry, f"{split}/{name}/{entry.name}", label)
            for entry in entries
            if self._is_image(entry, split)
        ]

    def _is_image(self, entry, split):
        """Returns whether an entry is an image file, and counts it otherwise."""
        ending = os.path.splitext(entry.name.lower())[1]
        if entry.is_dir():
            reason = "folders in class folders"
        elif entry.name.startswith("."):
            reason = "hidden files" if ending in ENDINGS else None
        elif ending not in ENDINGS:
            reason = f"{ending or 'without an ending'} files"
            reason = None if entry.name.lower() in _IGNORED_FILES else reason
        elif _is_special(entry):
            reason = "pipes or devices"
        else:
            return True
        if reason:
            self.left_out[split][reason] += 1
        return False

    def _file(self, entry, name, label):
        try:
            state = entry.stat()
            # An id must be valid UTF-8. The file system allows other names.
            name.encode()
        except OSError as error:
            raise _unreadable(entry.path, error.strerror) from error
        except UnicodeEncodeError as error:
            raise _unreadable(ascii(entry.path), "a name that is not UTF-8") from error
        # No program sets the time of a change (ctime), so that it shows a replaced file.
        times = f"{state.st_mtime_ns} {state.st_ctime_ns}"
        self._digest.update(f"{name}\0{state.st_size} {times} {state.st_ino}\n".encode())
        return _File(name, label)


def load(location, split, data_dir=None, image_size=None):
    """Loads uint8 pixels `(examples, height, width, channels)`.

    An id is a path such as `train/cat/001.png`. The classes are the folders below `train`, in
    alphabetical order. There is one channel if all images of both splits are grayscale, otherwise
    there are three. 16-bit images are reduced to their upper 8 bits. Transparent pixels are
    composited onto white. Images are turned as their EXIF data say. Names that begin with a dot
    and `__MACOSX` are ignored. A warning counts the files that are left out.

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
    scan = _Scan(folder)
    _warn_of_left_out(folder / split, scan.left_out[split])
    key = {
        "source": "folder",
        "location": str(folder.resolve()),
        "split": split,
        "classes": scan.class_names,
        "files": scan.digest,
        "image_size": image_size,
        "decoder": decoded_images.decoder(),
    }
    inputs, labels, ids = decoded_images.load(
        key,
        len(scan.files[split]),
        _with_channels(scan, split, image_size),
        functools.partial(_decode, scan, image_size=image_size),
    )
    names = scan.class_names
    return Examples(inputs, labels, ids, len(names), "folder", split, names)


def _warn_of_left_out(folder, left_out):
    if left_out:
        counts = [
            reason if reason.startswith("the ") else f"{count:,} {reason}"
            for reason, count in left_out.most_common()
        ]
        more = f" and {len(counts) - 8} more kinds" if len(counts) > 8 else ""
        warnings.warn(
            f"Left out of {folder}: {', '.join(counts[:8])}{more}. Expected files that end in "
            f"{', '.join(ENDINGS)}.",
            UserWarning,
            stacklevel=3,
        )


def _subfolders(folder, split):
    """Returns the names of the class folders of a split, in alphabetical order."""
    entries = _entries(folder / split, "`train` and `test`, with a folder for each class")
    names = [
        entry.name
        for entry in entries
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in _IGNORED_FOLDERS
    ]
    if not names:
        raise InputError(
            f"No classes in {folder / split}. Expected a folder of images for each class. "
            f"Received: {len(entries)} entries, none of them a folder"
        )
    return names


def _entries(folder, expected):
    """Returns the entries of a folder, ordered by name."""
    try:
        with os.scandir(folder) as scanned:
            return sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}. Expected a folder with {expected}. "
            f"Received: {error.strerror}"
        ) from error


def _is_special(entry):
    """Returns whether an entry is neither a file nor a broken link. Reading it might not end."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


def _with_channels(scan, split, image_size):
    """Yields each file of `split` with the number of channels of all images.

    The headers of both splits are read first. Nothing is read if the images are in the cache,
    because nobody iterates then.
    """
    # The first image of each size.
    first_of_size, all_gray = {}, True
    files = itertools.chain(scan.files["train"], scan.files["test"])
    with ThreadPoolExecutor() as pool, warnings.catch_warnings():
        # An image of too many pixels is an error before it is decoded.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # In blocks, because the pool takes all of its tasks at once.
        while block := list(itertools.islice(files, _BLOCK)):
            for file, header in zip(
                block, pool.map(functools.partial(_header, scan), block), strict=True
            ):
                first_of_size.setdefault(header[0], file.id)
                all_gray &= header[1]
    if image_size is None:
        _require_one_size(first_of_size)
    for file in scan.files[split]:
        yield file, 1 if all_gray else 3


def _require_one_size(first_of_size):
    """Raises an `InputError` if there is more than one size.

    Args:
        first_of_size: dictionary from each `(width, height)` to an id.
    """
    if len(first_of_size) > 1:
        shown = [f"{width} × {height} in {name}" for (width, height), name in first_of_size.items()]
        more = f" and {len(shown) - 5} more sizes" if len(shown) > 5 else ""
        raise InputError(
            "Images of different sizes. Expected the same width and height for all. Received: "
            f"{', '.join(shown[:5])}{more}. Set `dataset.image_size` to resize them."
        )


def _header(scan, file):
    with _opened(scan.path(file)) as image:
        return size_and_is_gray(image)


def _decode(scan, item, image_size):
    """Returns pixels, label and id of a file with its number of channels."""
    file, channels = item
    with _opened(scan.path(file)) as image:
        pixels = pixels_of(image, channels)
    return decoded_images.resized(pixels, image_size), file.label, file.id


@contextlib.contextmanager
def _opened(path):
    try:
        with Image.open(path, formats=("PNG", "JPEG", "BMP", "WEBP")) as image:
            yield image
    except Exception as error:  # Pillow's readers raise errors of any kind.
        raise _unreadable(path, error) from error


def _unreadable(path, reason):
    return InputError(
        f"Cannot read the image {path}. Expected a PNG, JPEG, BMP or WebP file. Received: {reason}"
    )
