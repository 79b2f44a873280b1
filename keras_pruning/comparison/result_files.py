"""Finds the files of results below a folder, also while others write there."""

import os
from pathlib import Path


def files_named(folder, name):
    """Returns the sorted paths of all files of a name, without those of unfinished results.

    Folders may appear and disappear meanwhile.

    Args:
        folder: folder to search.
        name: name of a file.
    """
    paths = []
    for place, folders, files in os.walk(folder):
        # A folder ends in `.partial` until its result is finished.
        folders[:] = [inner for inner in folders if not inner.endswith(".partial")]
        if name in files:
            paths.append(Path(place, name))
    return sorted(paths)


def results_named(folder, name):
    """Returns the files of a name below a folder, without the doctor's, which have wrong labels.

    Args:
        folder, name: as for `files_named`.
    """
    doctor = ("doctor/noise-*/*", "doctor/clean/*")
    paths = files_named(folder, name)
    return [path for path in paths if not any(path.match(pattern) for pattern in doctor)]
