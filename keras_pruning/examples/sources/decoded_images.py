"""Decoded images on disk: each image of a data set is decoded once, whoever reads it later."""

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
from keras_pruning.storage import write_json

MEMORY_LIMIT = 2**30
_BLOCK = 64


class Decoded(NamedTuple):
    """Images `(examples, height, width, channels)`, uint8, their labels, int64, and their ids."""

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


def load(key, total, items, decode):
    """The examples that `key` stands for, decoded now or by an earlier process.

    They are kept in a folder below `cache_folder()` that is named by a hash of `key`. Images of
    more than `MEMORY_LIMIT` bytes stay there and are mapped, smaller ones come into memory.

    Args:
        key: dictionary, fit for JSON, of all that the result depends on. `None` if nothing
            identifies the data: they are decoded into memory and not kept.
        total: number of examples; it may be `None` if `key` is.
        items: iterable of what `decode` takes. It is not touched when the examples are there.
        decode: function of an item that returns `(pixels, label, id)`, pixels being uint8
            `(height, width, channels)`. It runs in threads.

    Returns:
        `Decoded`.

    Raises:
        InputError: if there are no images or not `total` of them, if they differ in shape, or if
            the cache cannot be written.
    """
    blocks = _blocks(items, total, decode)
    if key is None:
        return Decoded(*map(np.concatenate, zip(*blocks, strict=True)))
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    folder = cache_folder() / digest
    found = _read(folder, key)
    if found is None:
        try:
            _write(folder, key, total, blocks)
            found = _read(folder, key)
        except OSError as error:
            raise _cannot_keep(folder, error.strerror or error) from error
    if found is None:
        raise _cannot_keep(folder, "what was written cannot be read back")
    return found


def cache_folder():
    """`$KERAS_PRUNING_CACHE`, else `keras_pruning` in `$XDG_CACHE_HOME` or in `~/.cache`."""
    if chosen := os.environ.get("KERAS_PRUNING_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras_pruning"


def resized(pixels, size):
    """The image of `size` × `size` pixels, bilinear, smoothed where it shrinks.

    Pillow computes it in integers, so that the result has the same bits on every machine.

    Args:
        pixels: uint8 `(height, width, channels)` of 1, 3 or 4 channels.
        size: height and width of the result; `None` leaves the image as it is.
    """
    from PIL import Image

    if size is None:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(size, size, -1)


def _blocks(items, total, decode):
    from tqdm import tqdm

    items = iter(tqdm(items, "Decoding", total, unit=" images", leave=False, disable=None))
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
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels, ids = (
            np.load(folder / name, allow_pickle=False) for name in ("labels.npy", "ids.npy")
        )
        recorded = json.loads((folder / "key.json").read_text())
    except Exception:  # Absent or broken, in whatever way: it is decoded anew.
        return None
    kinds = (images.dtype.str, labels.dtype.str, ids.dtype.kind)
    if recorded != as_json(key) or kinds != ("|u1", "<i8", "U"):
        return None
    if images.ndim != 4 or not len(images) == len(labels) == len(ids):
        return None
    return Decoded(np.array(images) if images.nbytes <= MEMORY_LIMIT else images, labels, ids)


def _write(folder, key, total, blocks):
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{folder.name}.", suffix=".partial", dir=folder.parent, ignore_cleanup_errors=True
    ) as beside:
        # One level down, as a temporary folder itself can be opened by nobody else.
        entry = Path(beside) / "entry"
        entry.mkdir()
        labels, ids = _write_images(entry / "images.npy", total, blocks)
        np.save(entry / "labels.npy", labels)
        np.save(entry / "ids.npy", ids)
        write_json(entry / "key.json", key)
        try:
            os.rename(entry, folder)
        except OSError:
            # Another process was faster, or an entry that cannot be read is in the way.
            if _read(folder, key) is None:
                os.rename(folder, Path(beside) / "broken")
                os.rename(entry, folder)


def _write_images(path, total, blocks):
    # Not a memory map: a disk that is full would end the process with SIGBUS, without a message.
    labels, ids = [], []
    with open(path, "wb") as file:
        for block in blocks:
            if not labels:
                shape = (total, *block.images.shape[1:])
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(block.images))
            labels.append(block.labels)
            ids.append(block.ids)
    count = sum(map(len, labels))
    if count != total:
        raise InputError(
            f"Damaged data set. Expected {total} examples, as it says itself. Received: {count}"
        )
    return np.concatenate(labels), np.concatenate(ids)


def _cannot_keep(folder, reason):
    return InputError(
        f"Cannot keep decoded images in {folder.parent}. Expected a folder that can be written "
        f"and has room for them. Received: {reason}. Set KERAS_PRUNING_CACHE to another folder."
    )
