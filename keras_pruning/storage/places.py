"""Places that results are written to: checked before any work, and named if they are full."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

from keras_pruning.errors import InputError

# Bytes that a place must hold before any work is done for it.
_ROOM = 16 * 1024


def require_writable(path):
    """Raises an `InputError` if a new file or folder could not get this path.

    A command calls it before it trains.

    Args:
        path: path of the result.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        raise InputError(
            f"Cannot write {path}: it is a link to a missing file or folder. Expected a free path. "
            f"Received: a link to {os.readlink(path)}. Remove the link or choose another output."
        )
    # The folder behind a link is written, not the link.
    folder = behind_link(path).parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(
            f"Cannot write {path}: {folder} is in the way. Expected a folder. Received: "
            f"{'a link to a missing folder' if folder.is_symlink() else 'a file'}. "
            "Remove it or choose another output."
        )
    with writing(path), tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_ROOM))
        file.flush()


def behind_link(path):
    """Returns the folder that a link leads to, any other path as it is."""
    return path.resolve() if path.is_symlink() and path.is_dir() else path


@contextlib.contextmanager
def writing(path):
    """Turns every `OSError` of a block that writes `path` into an `InputError`."""
    with naming_full_disks(path):
        try:
            yield
        except OSError as error:
            if _is_full(error):
                raise
            raise InputError(
                f"Cannot write {path}: {error.strerror or error}. Expected a place that can be "
                f"written. Received: {error.filename or Path(path).parent}. Choose another output."
            ) from error


@contextlib.contextmanager
def naming_full_disks(path):
    """Turns errors about a full disk in a block that writes `path` into an `InputError`."""
    try:
        yield
    except OSError as error:
        if not _is_full(error):
            raise
        place, free = _fullest(path)
        raise InputError(
            f"Cannot write {path}: no space is left. Expected free space in {place}. "
            f"Received: {free:,} bytes free. Free some, or choose another "
            f"{'TMPDIR' if place == tempfile.gettempdir() else 'output'}."
        ) from error


def _is_full(error):
    # HDF5 reports the number in its text only.
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return is_full or os.strerror(errno.ENOSPC) in str(error)


def _fullest(path):
    """Returns the place with the least space, the result's or that of temporary files."""
    folder = Path(path).absolute().parent
    while not folder.exists():
        folder = folder.parent
    places = [str(folder), tempfile.gettempdir()]
    return min(
        ((place, shutil.disk_usage(place).free) for place in places), key=lambda pair: pair[1]
    )
