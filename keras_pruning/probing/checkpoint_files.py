"""Finds the checkpoints that a pattern names."""

import glob
import os
import re
from pathlib import Path

from keras_pruning.errors import InputError


def find_checkpoints(pattern):
    """Returns the files that a pattern such as `'DIR/*.keras'` names, the oldest first.

    Numbers in names count as numbers: `epoch-2.keras` comes before `epoch-10.keras`.

    Raises:
        InputError: if there is none, or one of them is no `.keras` file.
    """
    # Sorted by letters first, so that the order of epoch-2 and epoch-02 does not depend on the
    # disk.
    paths = sorted(map(Path, sorted(glob.glob(os.path.expanduser(pattern)))), key=_by_numbers)
    others = [path for path in paths if path.suffix != ".keras" or not path.is_file()]
    if others or not paths:
        received = f"{others[0]} among the files" if others else "no file"
        raise InputError(
            "Invalid --checkpoints. Expected a pattern of .keras files of one training run, in "
            f"quotes: 'DIR/*.keras'. Received: {received} of {pattern!r}"
        )
    return paths


def _by_numbers(path):
    """Returns a key that sorts paths by the numbers in them, `model` before `model2`."""
    parts = re.split(r"(\d+)", str(path.with_suffix("")))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
