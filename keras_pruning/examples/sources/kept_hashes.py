"""Hashes of a file of images, kept beside it so that not every process reads the whole file."""

import contextlib
import time
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.storage import load_json, new_file, write_json

NAME = "hashes.json"
# Seconds after which the file is read again: a disk can lose bits without a change of any time.
_TRUSTED = 86_400
# Nanoseconds. Times of files have steps, within which a later change would not be seen.
_STEP = 10**9


class KeptHashes:
    """The hashes of one file, for each `scale` of its values.

    They belong to the size, the times and the inode of the file. A file in another state is hashed
    again, and any file after a day.

    Args:
        path: path of the file.
    """

    def __init__(self, path):
        self._path, self._kept = Path(path), Path(path).with_name(NAME)

    def get(self, scale, compute):
        """Returns the hash for a scale.

        Args:
            scale: `scale` of the `Inputs`.
            compute: function of no arguments that reads the file and returns the hash.
        """
        state = self._state()
        hashes = self._read(state)
        if repr(scale) in hashes:
            return hashes[repr(scale)][0]
        digest, now = compute(), time.time()
        if state is not None and state == self._state():
            self._write({"state": state, "hashes": hashes | {repr(scale): [digest, now]}})
        return digest

    def _state(self):
        """Returns what changes with the file, `None` if it is not there."""
        try:
            stat = self._path.stat()
        except OSError:
            return None
        # No program sets the time of a change (ctime).
        return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev]

    def _read(self, state):
        """Returns the hashes of a file in this state, empty if there are none to trust."""
        try:
            written = self._kept.stat().st_mtime_ns
            kept, is_verified = load_json(self._kept)
        except (OSError, InputError):
            return {}
        # Without its digest the file may be damaged
        if not is_verified or state is None or kept["state"] != state or written - state[2] < _STEP:
            return {}
        now = time.time()
        return {
            scale: [digest, read]
            for scale, (digest, read) in kept["hashes"].items()
            if 0 <= now - read < _TRUSTED
        }

    def _write(self, kept):
        # The cache may be another user's, or the disk full
        with contextlib.suppress(OSError, InputError), new_file(self._kept, overwrite=True) as path:
            write_json(path, kept)
