"""A cache of decoded images on disk, so that each image of a data set is decoded once."""

import hashlib
import itertools
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.recipes import as_json
from keras_pruning.storage import read_json, write_json

# Bytes of images above which they are read through a memory map.
MEMORY_LIMIT = 2**30
# Number of images that are decoded at a time.
_BLOCK = 64


class Decoded(NamedTuple):
    """Uint8 images `(examples, height, width, channels)` with their int64 labels and their ids."""

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


def load(key, total, items, decode):
    """Returns the images of a data set, decoded now or by an earlier process.

    They are stored in a folder below `cache_folder()` that is named by a hash of `key`. Up to
    `MEMORY_LIMIT` bytes of images are read into memory. Larger ones are memory-mapped.

    Args:
        key: dictionary of everything that the result depends on, in types of JSON. `None` if
            nothing identifies the data. They are decoded into memory then, and not stored.
        total: number of examples. It may be `None` if `key` is `None`.
        items: iterable of arguments of `decode`. It is not iterated if the cache has the images.
        decode: function of an item that returns `(pixels, label, id)`, with uint8 pixels
            `(height, width, channels)`. It runs in threads.

    Returns:
        `Decoded`.

    Raises:
        InputError: if the number of images is 0 or not `total`, if they differ in shape, or if the
            cache cannot be written.
    """
    # A generator: it decodes nothing until it is read.
    blocks = _blocks(items, total, decode)
    if key is None:
        return Decoded(*map(np.concatenate, zip(*blocks, strict=True)))
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    folder = cache_folder() / digest
    decoded = _read(folder, key)
    if decoded is None:
        # Decode into the cache, then read from there, so that large images leave the memory.
        try:
            _write(folder, key, total, blocks)
            decoded = _read(folder, key)
        except OSError as error:
            raise _cannot_store(folder, error.strerror or error) from error
    if decoded is None:
        raise _cannot_store(folder, "written files that cannot be read back")
    return decoded


def cache_folder():
    """Returns the path of the cache.

    It is `$KERAS_PRUNING_CACHE`, otherwise `keras_pruning` in `$XDG_CACHE_HOME` or in `~/.cache`.
    """
    if chosen := os.environ.get("KERAS_PRUNING_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras_pruning"


def resized(pixels, size):
    """Resizes an image to `size` × `size` pixels, bilinear, with antialiasing when it shrinks.

    Pillow computes in integers, so that the result has the same bits on every machine.

    Args:
        pixels: uint8 `(height, width, channels)` with 1, 3 or 4 channels.
        size: height and width of the result in pixels. `None` returns the image unchanged.

    Returns:
        Uint8 `(size, size, channels)`.
    """
    from PIL import Image

    if size is None:
        return pixels
    # Pillow has no images with a channel axis of length 1.
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(size, size, -1)


def _blocks(items, total, decode):
    """Decodes the items and yields `Decoded` of up to `_BLOCK` images each, in order."""
    from tqdm import tqdm

    items = iter(tqdm(items, "Decoding", total, unit=" images", leave=False, disable=None))
    # Decode in threads, and compare every shape with the first one.
    first = None
    with ThreadPoolExecutor() as pool:
        while block := list(pool.map(decode, itertools.islice(items, _BLOCK))):
            images, labels, ids = zip(*block, strict=True)
            first = first or (ids[0], images[0].shape)
            _require_one_shape(first, ids, images)
            yield Decoded(np.stack(images), np.array(labels, np.int64), np.array(ids, str))
    if first is None:
        raise InputError("Empty data set. Expected at least one image. Received: none")


def _require_one_shape(first, ids, images):
    for name, image in zip(ids, images, strict=True):
        if image.shape != first[1]:
            raise InputError(
                "Images of different shapes. Expected the same height, width and channels for all. "
                f"Received: {first[1]} in {first[0]}, {image.shape} in {name}. Set "
                "`dataset.image_size` to resize them."
            )


def _read(folder, key):
    """Returns `Decoded` of a folder in the cache, `None` if it is missing or damaged."""
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels, ids = (
            np.load(folder / name, allow_pickle=False) for name in ("labels.npy", "ids.npy")
        )
        recorded = read_json(folder / "key.json")
    except Exception:  # A damaged entry raises errors of many kinds. It is decoded again.
        return None
    # Compare the whole key, because two keys may share a hash.
    kinds = (images.dtype.str, labels.dtype.str, ids.dtype.kind)
    if recorded != as_json(key) or kinds != ("|u1", "<i8", "U"):
        return None
    if images.ndim != 4 or not len(images) == len(labels) == len(ids):
        return None
    return Decoded(np.array(images) if images.nbytes <= MEMORY_LIMIT else images, labels, ids)


def _write(folder, key, total, blocks):
    """Writes a new folder of the cache, which appears complete or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{folder.name}.", suffix=".partial", dir=folder.parent, ignore_cleanup_errors=True
    ) as beside:
        # A folder below the temporary one, because other users cannot open a temporary folder.
        entry = Path(beside) / "entry"
        entry.mkdir()
        labels, ids = _write_images(entry / "images.npy", total, blocks)
        np.save(entry / "labels.npy", labels)
        np.save(entry / "ids.npy", ids)
        write_json(entry / "key.json", key)
        try:
            os.rename(entry, folder)
        except OSError:
            # Another process was faster, or a damaged entry has the name. Replace only the latter.
            if _read(folder, key) is None:
                os.rename(folder, Path(beside) / "broken")
                os.rename(entry, folder)


def _write_images(path, total, blocks):
    """Writes the images as `.npy`, block by block. Returns their labels and ids."""
    # Not a memory map: a full disk would end the process with SIGBUS, without a message.
    labels, ids = [], []
    with open(path, "wb") as file:
        for block in blocks:
            if not labels:
                # The first block gives the shape for the header of the file.
                shape = (total, *block.images.shape[1:])
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(block.images))
            labels.append(block.labels)
            ids.append(block.ids)
    # The header promised `total` images.
    count = sum(map(len, labels))
    if count != total:
        raise InputError(
            f"Damaged data set. Expected {total} examples, as it declares. Received: {count}"
        )
    return np.concatenate(labels), np.concatenate(ids)


def _cannot_store(folder, reason):
    return InputError(
        f"Cannot store decoded images in {folder.parent}. Expected a writable folder on a disk "
        f"with enough space. Received: {reason}. Set KERAS_PRUNING_CACHE to another folder."
    )
