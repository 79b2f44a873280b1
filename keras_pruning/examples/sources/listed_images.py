"""Images in files that a folder or a table lists: PNG, JPEG, BMP, GIF or WebP."""

import contextlib
import functools
import itertools
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from keras_pruning.errors import InputError
from keras_pruning.examples.sources import decoded_images
from keras_pruning.examples.sources.image_files import pixels_of, size_and_is_gray
from keras_pruning.examples.sources.listed_files import BrokenFiles, warn_of_skipped

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
# Number of headers that are read at a time, of those that are timed, and by one task of a thread.
_BLOCK, _TIMED, _TASK = 4096, 16, 64
# Threads read headers if reading spends more than this share of its time waiting for the disk.
_WAITING = 0.7


def load(key, files, others, image_size, skip_broken):
    """Returns the images of files, decoded now or by an earlier process.

    There is one channel if all images are grayscale, otherwise there are three.

    Args:
        key: dictionary of everything else that the result depends on, part of the cache key.
        files: each `File` to decode.
        others: each `File` of another split, which has the same size and channels.
        image_size: height and width in pixels that images are resized to, or `None`.
        skip_broken: whether files that cannot be read are left out with a warning.

    Returns:
        `Decoded`.

    Raises:
        InputError: if files cannot be read, or if images differ in size without an `image_size`.
    """
    key = {**key, "image_size": image_size, "decoder": decoded_images.decoder()}
    # A key of its own, because without it broken files are an error.
    key = {**key, "skip_broken": True} if skip_broken else key
    broken = BrokenFiles("PNG, JPEG, BMP, GIF or WebP files", skip_broken)
    decoded = decoded_images.load(
        key,
        len(files),
        _with_channels(files, others, image_size, broken),
        functools.partial(_decoded, broken, image_size),
        broken.require_none,
    )
    warn_of_skipped(files, decoded.ids)
    return decoded


def _with_channels(files, others, image_size, broken):
    """Yields each of `files` with the number of channels of all images.

    All headers are read first. Nothing is read if the images are in the cache, because nobody
    iterates then.
    """
    # The first image of each size, if they have to be the same
    first_of_size, all_gray = {}, True
    listed = iter(_shown(itertools.chain(files, others), len(files) + len(others)))
    with ThreadPoolExecutor() as pool, warnings.catch_warnings():
        # An image of too many pixels is an error before it is decoded.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # In blocks, because the pool takes all of its tasks at once.
        while block := list(itertools.islice(listed, _BLOCK)):
            for file, header in zip(block, _headers_of_block(block, broken, pool), strict=True):
                if header is not None:
                    all_gray &= header[1]
                    if image_size is None:
                        first_of_size.setdefault(header[0], file.id)
    _require_one_size(first_of_size, broken)
    for file in files:
        if file not in broken:
            yield file, 1 if all_gray else 3


def _shown(files, count):
    """Yields files, and shows on a terminal how many of them are read."""
    from tqdm import tqdm

    return tqdm(files, "Reading headers", count, unit=" files", leave=False, disable=None)


def _require_one_size(first_of_size, broken):
    """Raises an `InputError` if there is more than one size.

    Args:
        first_of_size: dictionary from each `(width, height)` to an id.
        broken: the `BrokenFiles`, which are the error if there are any.
    """
    if len(first_of_size) > 1:
        broken.require_none()
        shown = [f"{width} × {height} in {name}" for (width, height), name in first_of_size.items()]
        more = f" and {len(shown) - 5} more sizes" if len(shown) > 5 else ""
        raise InputError(
            "Images of different sizes. Expected the same width and height for all. Received: "
            f"{', '.join(shown[:5])}{more}. Set `dataset.image_size` to resize them."
        )


def _headers_of_block(files, broken, pool):
    """Returns the `_header` of each file, an iterator.

    Pillow reads headers in Python. Threads make that slower, because only one of them can run
    Python, unless they wait for the disk most of the time. The first files show whether they would.
    """
    read = functools.partial(_headers, broken)
    begin, at_work = time.perf_counter(), time.thread_time()
    first = read(files[:_TIMED])
    waited = 1 - (time.thread_time() - at_work) / (time.perf_counter() - begin)
    tasks = [files[start : start + _TASK] for start in range(_TIMED, len(files), _TASK)]
    others = pool.map(read, tasks) if waited > _WAITING else map(read, tasks)
    return itertools.chain(first, *others)


def _headers(broken, files):
    return [_header(broken, file) for file in files]


def _header(broken, file):
    """Returns the size of an image and whether it is grayscale, `None` if it is broken."""
    with _adding_to(broken, file), _opened(file) as image:
        return size_and_is_gray(image)


def _decoded(broken, image_size, item):
    """Returns pixels, label and id of a file with its number of channels, `None` if broken."""
    file, channels = item
    with _adding_to(broken, file):
        with _opened(file) as image:
            pixels = pixels_of(image, channels)
        return decoded_images.resized(pixels, image_size), file.label, file.id


def _opened(file):
    # An id must be valid UTF-8. The file system allows other names.
    try:
        file.id.encode()
    except UnicodeEncodeError as error:
        raise InputError("a name that is not UTF-8") from error
    return Image.open(file.path, formats=_FORMATS)


@contextlib.contextmanager
def _adding_to(broken, file):
    """Adds a file to the broken ones if a block fails, and ends the block."""
    try:
        yield
    except Exception as error:  # Pillow's readers raise errors of any kind.
        broken.add(file, getattr(error, "strerror", None) or error)
