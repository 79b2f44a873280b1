"""Files of examples, and the list of those that cannot be read."""

import os
import warnings
from typing import NamedTuple

from keras_pruning.errors import InputError

# Number of files that a message names.
_NAMED = 10


class File(NamedTuple):
    """A file of an example: its id, its label and its path."""

    id: str
    label: int
    path: str


class BrokenFiles:
    """The files that cannot be read, collected so that one message names all.

    Args:
        expected: kind of file that messages ask for, such as `"a PNG or JPEG file"`.
        skip: whether to leave them out instead of an error.
    """

    def __init__(self, expected, skip):
        self.skip = skip
        self._expected, self._reasons = expected, {}

    def __contains__(self, file):
        return file.path in self._reasons

    def add(self, file, reason):
        """Adds a `File` with the reason why it cannot be read."""
        self._reasons[file.path] = reason

    def require_none(self):
        """Raises an `InputError` that names the files, unless they are skipped."""
        if self.skip or not self._reasons:
            return
        # Threads add them in any order.
        reasons = sorted(self._reasons.items())
        named = "; ".join(f"{_printable(path)} ({reason})" for path, reason in reasons[:_NAMED])
        more = f"; and {len(reasons) - _NAMED:,} more" if len(reasons) > _NAMED else ""
        raise InputError(
            f"Cannot read {len(reasons):,} of the files. Expected {self._expected}. Received: "
            f"{named}{more}. Repair or remove them, or set `skip_broken` to leave them out."
        )


def warn_of_skipped(files, ids):
    """Warns of files that were skipped because they cannot be read.

    Args:
        files: each `File` that was listed.
        ids: ids of those that were read, strings.
    """
    # As many ids as files: not a set of a million strings
    if len(ids) == len(files):
        return
    read = set(ids)
    skipped = [_printable(file.id) for file in files if file.id not in read]
    if skipped:
        more = f" and {len(skipped) - _NAMED:,} more" if len(skipped) > _NAMED else ""
        warnings.warn(
            f"Skipped {len(skipped):,} of {len(files):,} files, which cannot be read: "
            f"{', '.join(skipped[:_NAMED])}{more}.",
            UserWarning,
            stacklevel=4,
        )


def state_of(file):
    """Returns a text that changes with the size, a time or the inode of a file.

    Args:
        file: path of the file, or its `os.DirEntry`, which keeps what it has read.
    """
    try:
        state = file.stat() if isinstance(file, os.DirEntry) else os.stat(file)
    except OSError:
        return "broken"
    # No program sets the time of a change (ctime), so that it shows a replaced file.
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


def _printable(path):
    """Returns a path whose bytes that are not UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()
