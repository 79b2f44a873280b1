"""Files that appear whole or not at all, and never over another result."""

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
# Without dots, because the suffixes of a partial folder are read.
_HOST = platform.node().partition(".")[0]


@contextlib.contextmanager
def new_file(path, overwrite=False):
    """A temporary path beside `path`, renamed to it when the block ends without an error.

    Args:
        path: the file to write.
        overwrite: replace a file that is there already; otherwise that is an `InputError`.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already and is not overwritten. "
            "Expected a path that is free. Remove the file or choose another one."
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
    """A folder beside `path`, renamed to it when the block ends without an error.

    Args:
        path: the folder to make.
        overwrite: replace a folder that is there.

    Raises:
        InputError: if the folder is there and not empty, and `overwrite` is false.
    """
    path = Path(path)
    with _new_parents(path):
        for left in path.parent.glob(f"{glob.escape(path.name)}.{_HOST}-*.partial"):
            if not _is_running(left.suffixes[-2].rpartition("-")[2]):
                shutil.rmtree(left)  # of a process that was killed
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
            f"{path} exists already and is not overwritten. Expected a path that is free. "
            "Another process may have written it meanwhile."
        ) from error


def _is_running(process):
    """Whether there is a process of this number, given as text."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_json(path, value):
    """Writes `value` as indented JSON."""
    Path(path).write_text(json.dumps(value, indent=2) + "\n")


def read_json(path):
    """What a file of JSON holds.

    Raises:
        InputError: if it is missing or damaged.
    """
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read {path} as JSON: {error}") from error


@contextlib.contextmanager
def _new_parents(path):
    """Makes the parent folders of `path`; takes back the ones it made if the block fails."""
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
