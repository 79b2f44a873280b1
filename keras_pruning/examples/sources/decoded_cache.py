"""The cache of decoded images: one folder for each data set and split, verified when it is read."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import Inputs, new_digest
from keras_pruning.examples.mapped_inputs import MappedInputs
from keras_pruning.examples.sources.kept_hashes import KeptHashes
from keras_pruning.recipes import as_json, file_digest
from keras_pruning.storage import read_json, write_json
from keras_pruning.storage.processes import HOST, is_running

# Bytes of the images that batches need, above which they are read through a memory map.
MEMORY_LIMIT = 2**30
# GiB that the cache may take, unless `$KERAS_PRUNING_CACHE_LIMIT` is set.
_DEFAULT_LIMIT = 100
# Seconds during which an entry is not removed by others, because a process may need it again.
_IN_USE = 3600
# Seconds without a change after which a partial folder counts as abandoned.
_ABANDONED = 86_400
# Only folders with these names are ever removed.
_ENTRY = re.compile(r"[0-9a-f]{32}")
_PARTIAL = re.compile(r"[0-9a-f]{32}\.(?:(?P<host>.+)-(?P<process>\d+)\.)?[^.]+\.partial")


class Decoded(NamedTuple):
    """`Inputs` of uint8 images `(examples, height, width, channels)`, int64 labels and the ids."""

    inputs: Inputs
    labels: np.ndarray
    ids: np.ndarray


class Entry(NamedTuple):
    """One folder of the cache: its path, its size in bytes, its last use and its key."""

    path: Path
    size: int
    used: float
    key: dict


def cache_folder():
    """Returns the path of the cache.

    It is `$KERAS_PRUNING_CACHE`, otherwise `keras_pruning` in `$XDG_CACHE_HOME` or in `~/.cache`.
    """
    if chosen := os.environ.get("KERAS_PRUNING_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras_pruning"


def size_limit():
    """Returns the number of bytes that the cache may take.

    Raises:
        InputError: if `$KERAS_PRUNING_CACHE_LIMIT` is not a number of GiB.
    """
    text = os.environ.get("KERAS_PRUNING_CACHE_LIMIT") or str(_DEFAULT_LIMIT)
    with contextlib.suppress(ValueError, OverflowError):
        if float(text) >= 0:
            return int(float(text) * 2**30)
    raise InputError(
        "Invalid KERAS_PRUNING_CACHE_LIMIT. Expected a number of GiB, for example 50. "
        f"Received: {text!r}"
    )


def folder_of(key):
    """Returns the folder of the cache for a key, which is a dictionary in types of JSON."""
    return (
        cache_folder() / hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    )


def read(folder, key, scale):
    """Returns the `Decoded` of a folder in the cache, `None` if it is missing or damaged.

    Every value is hashed, the images once a day unless their file changes. Their hash is the one
    that identifies the inputs. A damaged folder gives a warning.

    Args:
        folder: path of the folder.
        key: the key that the folder must have.
        scale: `scale` of the `Inputs`.
    """
    if not folder.is_dir():
        return None
    try:
        decoded = _verified(folder, key, scale)
    except Exception:  # A damaged file raises errors of many kinds.
        decoded = None
    if decoded is None and folder.is_dir():
        warnings.warn(
            f"The cached images in {folder} are damaged. Expected files that match their hashes. "
            "They are decoded again. Check the disk if this happens more than once.",
            UserWarning,
            stacklevel=2,
        )
    elif decoded is not None:
        with contextlib.suppress(OSError):
            os.utime(folder / "entry.json")
    return decoded


def _verified(folder, key, scale):
    recorded = read_json(folder / "entry.json")
    names = ("labels", "ids")
    if any(file_digest(folder / f"{name}.npy") != recorded[name] for name in names):
        return None
    labels, ids = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in names)
    images = np.lib.format.open_memmap(folder / "images.npy", mode="r")
    # Compare the whole key, because two keys may share a hash.
    kinds = (images.dtype.str, labels.dtype.str, ids.dtype.kind)
    if recorded["key"] != as_json(key) or kinds != ("|u1", "<i8", "U"):
        return None
    if images.ndim != 4 or not len(images) == len(labels) == len(ids):
        return None
    inputs = MappedInputs(images, scale, MEMORY_LIMIT, KeptHashes(folder / "images.npy"))
    return Decoded(inputs, labels, ids) if inputs.digest == recorded["inputs"] else None


def write(folder, key, total, blocks, scale, may_be_fewer=False):
    """Writes a new folder of the cache, which appears complete or not at all.

    Args:
        folder: path of the folder.
        key: dictionary of everything that the images depend on.
        total: number of images.
        blocks: iterable of uint8 images `(block, height, width, channels)`, labels and ids.
        scale: `scale` of the `Inputs`, which is part of their hash.
        may_be_fewer: whether there may be fewer than `total` images.
    """
    limit = size_limit()
    folder.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers()
    with tempfile.TemporaryDirectory(
        prefix=f"{folder.name}.{HOST}-{os.getpid()}.",
        suffix=".partial",
        dir=folder.parent,
        ignore_cleanup_errors=True,
    ) as beside:
        # A folder below the temporary one, because other users cannot open a temporary folder.
        entry = Path(beside) / "entry"
        entry.mkdir()
        path = entry / "images.npy"
        digest, labels, ids = _write_images(path, total, blocks, scale)
        if len(labels) != total:
            if not may_be_fewer:
                raise InputError(
                    f"Damaged data set. Expected {total} examples, as it declares. "
                    f"Received: {len(labels)}"
                )
            digest = _with_count(path, len(labels), scale)
        np.save(entry / "labels.npy", labels)
        np.save(entry / "ids.npy", ids)
        hashes = {name: file_digest(entry / f"{name}.npy") for name in ("labels", "ids")}
        write_json(entry / "entry.json", {"key": key, "inputs": digest, **hashes})
        try:
            os.rename(entry, folder)
        except OSError:
            # Another process was faster, or a damaged entry has the name. Replace only the latter.
            if _is_damaged(folder, key, scale):
                os.rename(folder, Path(beside) / "broken")
                os.rename(entry, folder)
    _remove_oldest(folder, limit)


def _is_damaged(folder, key, scale):
    try:
        return _verified(folder, key, scale) is None
    except Exception:  # As in `read`.
        return True


def _write_images(path, total, blocks, scale):
    """Writes the images as `.npy`, block by block. Returns their hash, their labels and ids."""
    # Not a memory map: a full disk would end the process with SIGBUS, without a message.
    labels, ids, digest = [], [], None
    with open(path, "wb") as file:
        for images, block_labels, block_ids in blocks:
            if digest is None:
                # The first block gives the shape for the header of the file.
                shape = (total, *images.shape[1:])
                _require_space(path, int(np.prod(shape)))
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                digest = new_digest(shape, images.dtype, scale)
            content = np.ascontiguousarray(images)
            file.write(content)
            digest.update(content)
            labels.append(block_labels)
            ids.append(block_ids)
    return digest.hexdigest(), np.concatenate(labels), np.concatenate(ids)


def _with_count(path, count, scale):
    """Writes the number of images into the header of a `.npy` file, and returns their new hash."""
    with open(path, "r+b") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
        start = file.tell()
        file.seek(0)
        # NumPy leaves room for a first axis of any length.
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape[1:])}
        np.lib.format.write_array_header_1_0(file, header)
        if file.tell() != start:
            raise OSError(None, "a header of another length than before")
    return Inputs(np.lib.format.open_memmap(path, mode="r"), scale).digest


def _require_space(path, size):
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(
            None,
            f"{size / 2**30:.2f} GiB of images, but {free / 2**30:.2f} GiB are free on the disk",
        )


def entries():
    """Returns the `Entry` of each folder of the cache, the one used last at the end."""
    listed = []
    for path in _folders(_ENTRY):
        with contextlib.suppress(OSError):
            size = sum(file.stat().st_size for file in path.iterdir())
            used, key = path.stat().st_mtime, {}
            with contextlib.suppress(Exception):  # A damaged entry is listed without its key.
                used = (path / "entry.json").stat().st_mtime
                key = dict(json.loads((path / "entry.json").read_text(encoding="utf-8"))["key"])
            listed.append(Entry(path, size, used, key))
    return sorted(listed, key=lambda entry: entry.used)


def clear():
    """Removes all entries of the cache and the leftovers of killed processes."""
    for entry in entries():
        _remove(entry.path)
    clear_leftovers()


def clear_leftovers():
    """Removes the partial folders of processes that were killed."""
    for path in _folders(_PARTIAL):
        if _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path):
    parts = _PARTIAL.fullmatch(path.name)
    if parts["host"] == HOST and not is_running(parts["process"]):
        return True
    # A process of this number may be another one, and other computers cannot be asked.
    try:
        changed = max(file.stat().st_mtime for file in (path, *path.rglob("*")))
    except OSError:
        return False
    return time.time() - changed > _ABANDONED


def _remove_oldest(newest, limit):
    """Removes the entries used longest ago until the cache has at most `limit` bytes."""
    listed = entries()
    total = sum(entry.size for entry in listed)
    for entry in listed:
        if entry.path != newest and total > limit and time.time() - entry.used > _IN_USE:
            _remove(entry.path)
            total -= entry.size


def _remove(path):
    """Removes an entry. It is renamed first, so that no process reads a part of it."""
    with contextlib.suppress(OSError):
        beside = tempfile.mkdtemp(
            prefix=f"{path.name}.{HOST}-{os.getpid()}.", suffix=".partial", dir=path.parent
        )
        os.rename(path, Path(beside) / "removed")
        shutil.rmtree(beside, ignore_errors=True)


def _folders(pattern):
    """Returns the folders of the cache whose whole name matches `pattern`."""
    try:
        listed = list(cache_folder().iterdir())
    except OSError:
        return []
    return [path for path in listed if pattern.fullmatch(path.name) and path.is_dir()]
