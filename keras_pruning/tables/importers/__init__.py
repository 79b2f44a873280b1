"""Files of scores that were computed elsewhere: one file for each format, and the registry below.

An importer is a function `read(path, name, ids)` that returns the score `name` of each id, numbers
`(examples,)` in the order of `ids`, and raises an `InputError` if the file is about other examples.
"""

from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.tables.importers import csv, npy

IMPORTERS = {
    ".npy": npy.read,
    ".csv": csv.read,
}


def read_scores(path, name, ids):
    """Returns the scores in a file, numbers `(examples,)` in the order of the ids.

    Args:
        path: path of the file, with a suffix among `IMPORTERS`.
        name: name of the score.
        ids: strings `(examples,)`, as `checked_ids` returns them.

    Raises:
        InputError: if the file is missing, of another format, or about other examples.
    """
    path = Path(path)
    if path.suffix.lower() not in IMPORTERS:
        raise InputError(
            f"Unknown format of scores. Expected a file that ends in {' or '.join(IMPORTERS)}. "
            f"Received: {path}. {npy.HOW_TO_CONVERT}"
        )
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "none"
        raise InputError(f"Missing file of scores. Expected a file. Received: {path} ({kind})")
    return IMPORTERS[path.suffix.lower()](path, name, ids)
