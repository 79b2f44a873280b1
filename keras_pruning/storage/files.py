"""Writes files and folders that are complete or absent, and never replace another result."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.storage.places import behind_link, naming_full_disks, writing
from keras_pruning.storage.processes import HOST, is_running

# Errors of disks that have no hard links.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)
# In the place of the name of a computer.
ANY = "*"
_OTHER_FOLDER = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class AlreadyExists(InputError):
    """A result that is there already, be it that another process was faster."""


@contextlib.contextmanager
def new_file(path, overwrite=False):
    """Yields a temporary path beside `path` and renames it when the block ends without an error.

    Of several writers at once, one gets the path and the others the error.

    Args:
        path: the file to write.
        overwrite: boolean, whether to replace an existing file.

    Raises:
        AlreadyExists: if the path exists and `overwrite` is false.
        InputError: if the file or its folder cannot be written.
    """
    path = Path(path)
    if os.path.lexists(path) and not overwrite:
        raise _exists(path, "file")
    with _new_parents(path), writing(path):
        clear_leftovers(path)
        partial = path.with_name(f".{path.name}.{writer()}.partial")
        try:
            yield partial
            if overwrite:
                os.replace(partial, path)
            else:
                _publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path, overwrite=False):
    """Yields a folder beside `path` and renames it when the block ends without an error.

    Args:
        path: the folder to make. If it is a link to a folder, that one is made.
        overwrite: boolean, whether to replace an existing folder.

    Raises:
        AlreadyExists: if the folder exists and is not empty, and `overwrite` is false.
        InputError: if the folder cannot be written, or another process has removed it meanwhile.
    """
    path = behind_link(Path(path))
    with _new_parents(path), naming_full_disks(path):
        with writing(path):
            clear_leftovers(path)
            partial = path.with_name(f"{path.name}.{writer()}.partial")
            partial.mkdir()
        try:
            with _kept(partial, path):
                yield partial
            if overwrite:
                _replace(partial, path)
            else:
                _rename(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def _kept(partial, path):
    """Raises an error after the block if the partial folder is gone, or is another one.

    Writers of files make a missing folder again, without the files that it had.
    """
    made, opened = os.stat(partial), None
    # An open folder keeps its number, which the next one could get otherwise
    with contextlib.suppress(OSError):
        opened = os.open(partial, os.O_RDONLY)
    try:
        yield
        try:
            is_same = os.path.samestat(os.stat(partial), made)
        except OSError:
            is_same = False
    finally:
        if opened is not None:
            os.close(opened)
    if not is_same:
        raise InputError(
            f"Cannot write {path}: its partial folder was removed before it was complete. Expected "
            f"that no other process changes it. Received: another folder, or none, at {partial}. "
            "Run the same command again."
        )


def clear_leftovers(path, host=HOST):
    """Removes partial files and folders of `path` of processes that were killed.

    Those of running processes on this computer stay.

    Args:
        path: path of the result.
        host: name of the computer that the processes ran on, or `ANY`. Other computers cannot be
            asked for their processes, so all of those must have ended, or the result be finished.
    """
    path = Path(path)
    ours, others = (re.compile(_partial_names(path.name, name)) for name in (HOST, host))
    for entry in path.parent.iterdir() if path.parent.is_dir() else []:
        match = ours.fullmatch(entry.name)
        if is_running(match[1]) if match else not others.fullmatch(entry.name):
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _partial_names(name, host):
    """Returns a pattern for the partial files of a result, whose group is the process."""
    # Names of computers have no dots here
    host = r"\.[^.]+" if host == ANY else rf"[.-]{re.escape(host)}"
    return rf"\.?{re.escape(name)}{host}-(\d+)(?:-\w+)?\.partial"


def writer():
    """Returns a text that names this process and this call, for the name of a partial file."""
    return f"{HOST}-{os.getpid()}-{secrets.token_hex(4)}"


def _publish(partial, path):
    """Gives a finished file its name, unless the name has been taken meanwhile."""
    try:
        # Unlike a rename, a link never replaces a file.
        os.link(partial, path)
    except FileExistsError as error:
        raise _exists(path, "file") from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Two writers at the very same moment could both pass this check.
        if os.path.lexists(path):
            raise _exists(path, "file") from error
        os.rename(partial, path)


def _rename(partial, path):
    try:
        os.rename(partial, path)
    except OSError as error:
        if error.errno not in _OTHER_FOLDER:
            raise InputError(f"Cannot write {path}: {error.strerror}.") from error
        raise _exists(path, "folder") from error


def _replace(partial, path):
    """Replaces a folder, also if others replace it at the same time."""
    # Move the old folder aside first, so that the path never holds half of it.
    aside = path.with_name(f"{path.name}.{writer()}.partial")
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            os.rename(path, aside)
        try:
            os.rename(partial, path)
            return
        except OSError as error:
            if error.errno not in _OTHER_FOLDER:
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    raise _exists(path, "folder")


def _exists(path, kind):
    """Returns the error about a path that is taken."""
    expected = "an empty folder or none" if kind == "folder" else "a path without a file"
    return AlreadyExists(
        f"{path} exists already and is not overwritten. Expected {expected}. "
        "Another process may have written it in the meantime. Remove it or choose another path."
    )


@contextlib.contextmanager
def _new_parents(path):
    """Makes the parent folders of `path` and removes the new ones if the block fails."""
    missing = [parent for parent in path.parents if not parent.exists()]
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise
