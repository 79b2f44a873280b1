"""Temporary folders that the next run clears if their process was killed."""

import contextlib
import glob
import os
import re
import shutil
import tempfile
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.storage.processes import HOST, is_running

# AutoGraph writes its sources to the temporary folder. Without room it only warns, at length.
_ROOM = 2**20
_NAME = "keras_pruning"


@contextlib.contextmanager
def temporary_folder(place=None, name=_NAME, suffix=""):
    """Yields a new folder for temporary files and removes it when the block ends.

    Folders of processes on this machine that were killed are removed first.

    Args:
        place: folder that it lies in. Defaults to that of temporary files.
        name: first part of its name. The computer and the number of the process follow.
        suffix: last part of its name.

    Raises:
        InputError: if there is no place for temporary files, or no room in it.
    """
    place, prefix = Path(place or _place()), f"{name}-{HOST}-"
    _clear(place, prefix, suffix)
    try:
        folder = tempfile.TemporaryDirectory(suffix, f"{prefix}{os.getpid()}-", place)
    except OSError as error:
        raise _no_room(place, error) from error
    with folder as path:
        yield path


def clear_temporary_folders():
    """Removes the temporary folders of processes on this machine that were killed."""
    with contextlib.suppress(InputError):
        _clear(_place(), f"{_NAME}-{HOST}-", "")


def _clear(place, prefix, suffix):
    """Removes the folders whose names begin and end with texts, of processes that were killed."""
    # The number of the process, and the eight random characters of `tempfile`
    ours = re.compile(rf"{re.escape(prefix)}(\d+)-[a-z0-9_]{{8}}{re.escape(suffix)}")
    for leftover in place.glob(f"{glob.escape(prefix)}*{suffix}"):
        match = ours.fullmatch(leftover.name)
        if match and not is_running(match[1]):
            shutil.rmtree(leftover, ignore_errors=True)


def require_room():
    """Raises an `InputError` unless temporary files can be written."""
    with temporary_folder() as folder:
        try:
            Path(folder, "room").write_bytes(bytes(_ROOM))
        except OSError as error:
            raise _no_room(Path(folder).parent, error) from error


def _place():
    """Returns the folder that temporary files go to."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise InputError(
            "There is no folder for temporary files. Expected a writable folder with room in it. "
            f"Received: TMPDIR={os.environ.get('TMPDIR')!r}. Set TMPDIR to another folder."
        ) from error


def _no_room(place, error):
    return InputError(
        f"Cannot write temporary files to {place}: {error.strerror or error}. Expected room for "
        f"at least {_ROOM // 2**20} MiB. Remove files there, or set TMPDIR to another folder."
    )
