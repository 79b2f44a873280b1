"""Finds the training and the test part of a folder with a folder for each class."""

import os
from pathlib import Path
from typing import NamedTuple

from keras_pruning.errors import InputError

# Names of folders in lower case. Of those for testing, the first one that is there counts.
_TRAIN = ("train", "training")
TEST_NAMES = ("test", "testing", "validation", "val", "valid")
# Folders that macOS adds to archives.
IGNORED_FOLDERS = ("__MACOSX",)


class Layout(NamedTuple):
    """Parts of a folder: paths relative to it, `"."` for the folder itself.

    Args:
        folder: `Path` of the folder.
        parts: dictionary with the path of the part `"train"`, and of `"test"` if there is one.
        unused: names of other folders that one might miss, such as `val` beside `test`.
    """

    folder: Path
    parts: dict
    unused: list


def layout_of(location):
    """Returns the `Layout` of a folder.

    Without folders for splits, all of its folders are classes of the training part.

    Args:
        location: path of the folder.

    Raises:
        InputError: if the folder cannot be read, or if it has no training part.
    """
    folder = Path(location)
    names = visible_folders(folder, "a folder for each class, or `train` and `test`")
    train, test = _first(names, _TRAIN), _first(names, TEST_NAMES)
    if train is not None:
        parts = {"train": train} | ({} if test is None else {"test": test})
        # Without a test part, other folders may be classes: `train` is one too, beside `plane`.
        others = [name for name in names if name not in parts.values()]
        unused = [name for name in others if test is None or name.lower() in TEST_NAMES]
        return Layout(folder, parts, unused)
    if test is not None:
        raise InputError(
            f"No training examples in {folder}. Expected a folder `train`, or a folder for each "
            f"class and none that is named like a split. Received: {', '.join(names)}"
        )
    if len(names) == 1:
        raise InputError(
            f"Only one class in {folder}. Expected a folder for each of two or more classes, or "
            f"`train` and `test`. Received: {names[0]}. Is {folder / names[0]} the right folder?"
        )
    return Layout(folder, {"train": "."}, [])


def visible_folders(folder, expected):
    """Returns the names of the folders in a folder in order, without hidden ones.

    Args:
        folder: `Path` of a folder.
        expected: contents that messages ask for.

    Raises:
        InputError: if the folder cannot be read, or if there is none in it.
    """
    listed = entries(folder, expected)
    names = [
        entry.name
        for entry in listed
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in IGNORED_FOLDERS
    ]
    for name in names:
        require_utf8(folder / name)
    if not names:
        raise InputError(
            f"No classes in {folder}. Expected a folder for each class. "
            f"Received: {len(listed)} entries, none of them a folder"
        )
    return names


def require_utf8(path):
    """Raises an `InputError` unless a path is valid UTF-8. The file system allows other names."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"Invalid name of a folder: {str(path)!a}. Expected UTF-8. Received: other bytes"
        ) from error


def entries(folder, expected):
    """Returns the `os.DirEntry` of each entry of a folder, ordered by name."""
    try:
        with os.scandir(folder) as scanned:
            return sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}. Expected a folder with {expected}. "
            f"Received: {error.strerror}"
        ) from error


def _first(names, choices):
    """Returns the first of some names, compared in lower case, or `None`."""
    by_lower = {name.lower(): name for name in names}
    return next((by_lower[name] for name in choices if name in by_lower), None)
