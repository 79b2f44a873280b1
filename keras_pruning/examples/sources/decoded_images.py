"""Decodes the images of a data set once, and keeps them in a cache on disk."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL
from PIL import Image, features

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import PIXEL_SCALE, Inputs
from keras_pruning.examples.sources import decoded_cache
from keras_pruning.examples.sources.decoded_cache import Decoded

# Changes if this package decodes any image to other pixels than before.
_VERSION = 2
# Number of images that are decoded at a time.
_BLOCK = 64


def decoder():
    """Returns the versions of everything that turns files into pixels, part of a cache key."""
    codecs = {name: features.version(name) for name in ("jpg", "libjpeg_turbo", "zlib", "webp")}
    return {"version": _VERSION, "pillow": PIL.__version__, **codecs}


def load(key, total, items, decode, check=None):
    """Returns the images of a data set, decoded now or by an earlier process.

    They are stored in a folder of the cache that is named by a hash of `key`, and memory-mapped.
    Batches read the images that they need into memory, up to `decoded_cache.MEMORY_LIMIT` bytes.

    Args:
        key: dictionary of everything that the result depends on, in types of JSON. `None` if
            nothing identifies the data. They are decoded into memory then, and not stored.
        total: number of examples. It may be `None` if `key` is `None`.
        items: iterable of arguments of `decode`. It is not iterated if the cache has the images.
        decode: function of an item that returns `(pixels, label, id)`, with uint8 pixels
            `(height, width, channels)`, or `None` to leave out the item. It runs in threads.
        check: function that is called once all items are decoded. It may raise an error. With it,
            fewer than `total` images may be stored.

    Returns:
        `Decoded`, with inputs that batches scale to [0, 1].

    Raises:
        InputError: if the number of images is 0 or not `total`, if they differ in shape, or if the
            cache cannot be written.
    """
    # A generator: it decodes nothing until it is read.
    blocks = _blocks(items, total, decode, check)
    if key is None:
        images, labels, ids = map(np.concatenate, zip(*blocks, strict=True))
        return Decoded(Inputs(images, PIXEL_SCALE), labels, ids)
    folder = decoded_cache.folder_of(key)
    decoded = decoded_cache.read(folder, key, PIXEL_SCALE)
    if decoded is None:
        # Decode into the cache, then read from there, so that large images leave the memory.
        try:
            decoded_cache.write(folder, key, total, blocks, PIXEL_SCALE, check is not None)
            decoded = decoded_cache.read(folder, key, PIXEL_SCALE)
        except OSError as error:
            raise _cannot_store(folder, error.strerror or error) from error
    if decoded is None:
        raise _cannot_store(folder, "written files that cannot be read back")
    return decoded


def resized(pixels, size):
    """Resizes an image to `size` × `size` pixels, bilinear, with antialiasing when it shrinks.

    Pillow computes in integers, so that the result has the same bits on every machine.

    Args:
        pixels: uint8 `(height, width, channels)` with 1, 3 or 4 channels.
        size: height and width of the result in pixels. `None` returns the image unchanged.

    Returns:
        Uint8 `(size, size, channels)`.
    """
    if size is None:
        return pixels
    # Pillow has no images with a channel axis of length 1.
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(size, size, -1)


def _blocks(items, total, decode, check):
    """Decodes the items and yields images, labels and ids of up to `_BLOCK` items, in order."""
    from tqdm import tqdm

    items = iter(tqdm(items, "Decoding", total, unit=" images", leave=False, disable=None))
    # Decode in threads, and compare every shape with the first one.
    first = None
    with ThreadPoolExecutor() as pool:
        while block := list(itertools.islice(items, _BLOCK)):
            block = [example for example in pool.map(decode, block) if example is not None]
            if not block:
                continue
            images, labels, ids = zip(*block, strict=True)
            first = first or (ids[0], images[0].shape)
            _require_one_shape(first, ids, images)
            yield np.stack(images), np.array(labels, np.int64), np.array(ids, str)
    if check is not None:
        check()
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


def _cannot_store(folder, reason):
    return InputError(
        f"Cannot store decoded images in {folder.parent}. Expected a writable folder on a disk "
        f"with enough space. Received: {reason}. Set KERAS_PRUNING_CACHE to another folder."
    )
