"""Writes files and folders that are complete or absent, and never replace another result."""

import contextlib
import errno
import glob
import json
import os
import platform
import shutil
from pathlib import Path

from keras_pruning.errors import InputError

RECIPE = "recipe.json"
# Without dots, because `new_folder` reads the suffixes of partial folders.
_HOST = platform.node().partition(".")[0]


@contextlib.contextmanager
def new_file(path, overwrite=False):
    """Yields a temporary path beside `path` and renames it when the block ends without an error.

    Args:
        path: the file to write.
        overwrite: boolean, whether to replace an existing file.

    Raises:
        InputError: if the file exists and `overwrite` is false, or if its folder cannot be made.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already and is not overwritten. "
            "Expected a path without a file. Remove the file or choose another path."
        )
    with _new_parents(path):
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path, overwrite=False):
    """Yields a folder beside `path` and renames it when the block ends without an error.

    Args:
        path: the folder to make.
        overwrite: boolean, whether to replace an existing folder.

    Raises:
        InputError: if the folder exists and is not empty, and `overwrite` is false.
    """
    path = Path(path)
    with _new_parents(path):
        # Remove partial folders of processes that were killed on this machine.
        for leftover in path.parent.glob(f"{glob.escape(path.name)}.{_HOST}-*.partial"):
            if not _is_running(leftover.suffixes[-2].rpartition("-")[2]):
                shutil.rmtree(leftover)
        partial = path.with_name(f"{path.name}.{_HOST}-{os.getpid()}.partial")
        partial.mkdir()
        try:
            yield partial
            if overwrite and path.exists():
                shutil.rmtree(path)
            _rename(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _rename(partial, path):
    try:
        os.rename(partial, path)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise InputError(f"Cannot write {path}: {error.strerror}.") from error
        raise InputError(
            f"{path} exists already and is not overwritten. Expected an empty folder or none. "
            "Another process may have written it in the meantime."
        ) from error


def _is_running(number):
    """Returns whether a process has this number, a string."""
    try:
        # Signal 0 checks the process and sends nothing.
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_json(path, value):
    """Writes `value` as indented JSON."""
    Path(path).write_text(json.dumps(value, indent=2) + "\n")


def read_json(path):
    """Returns the content of a JSON file.

    Raises:
        InputError: if the file is missing or damaged.
    """
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read {path} as JSON: {error}") from error


@contextlib.contextmanager
def _new_parents(path):
    """Makes the parent folders of `path` and removes the new ones if the block fails."""
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror} ({error.filename}).") from error
    try:
        yield
    except BaseException:
        for parent in missing:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise
