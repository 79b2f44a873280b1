"""Saves the state of an unfinished run beside the backup of `keras.callbacks.BackupAndRestore`."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.storage import new_file

_KEPT = 2
_IDENTITY = "identity"


class Backup:
    """Files with the state of a callback at the end of an epoch.

    The last two are kept, because the backup of the model may be one epoch behind.

    Args:
        folder: the `backup_dir` of `BackupAndRestore`, which deletes it when training ends.
        run: dictionary of JSON values that identifies the run, such as its examples and length.
        kind: beginning of the names of the files. Several callbacks may share a folder.

    Raises:
        InputError: if `BackupAndRestore` would resume another run.
    """

    def __init__(self, folder, run, kind="keras_pruning"):
        self._run = json.loads(json.dumps(run, default=str))
        digest = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode())
        self._folder, self._kind = Path(folder), kind
        self._name = f"{kind}-{digest.hexdigest()[:16]}"
        if not self.epochs:
            self._require_no_other_run()

    def save(self, epoch, state):
        """Writes a state, a dictionary of arrays, and deletes the older ones.

        Args:
            epoch: number of epochs that the state has seen.
            state: dictionary of arrays, without Python objects.
        """
        path = self._path(epoch)
        # A file object, because `savez` adds a suffix to paths.
        with new_file(path, overwrite=True) as partial, open(partial, "wb") as file:
            np.savez(file, **{_IDENTITY: np.array(json.dumps(self._run))}, **state)
        # The epoch itself and the one before it, even if files of an abandoned run are later
        kept = sorted(self.epochs, key=lambda other: abs(epoch - other))[:_KEPT]
        for other in set(self.epochs) - set(kept):
            self._path(other).unlink(missing_ok=True)

    @property
    def epochs(self):
        """Ascending list of the epochs whose states are saved."""
        pattern = re.compile(re.escape(self._name) + r"-(\d+)\.npz")
        names = [path.name for path in self._folder.glob("*.npz")]
        return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))

    def load(self, epoch):
        """Returns the state at the end of an epoch, as `save` has got it.

        Raises:
            InputError: if the file is damaged.
        """
        path = self._path(epoch)
        try:
            with np.load(path) as file:
                return {name: file[name] for name in file if name != _IDENTITY}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                "Cannot restore the state of the run. Expected the file that the callback has "
                f"written. Received: {path}, which is damaged ({error}). Delete it to train on "
                "without the earlier epochs."
            ) from error

    def _require_no_other_run(self):
        """Raises an `InputError` if the backup of the model belongs to another run."""
        others = sorted(self._folder.glob(f"{self._kind}-*.npz"))
        # Without a backup of the model, training begins anew.
        if not (others and any(self._folder.glob("*.weights.h5"))):
            return
        try:
            with np.load(others[-1]) as file:
                run = json.loads(str(file[_IDENTITY]))
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            run = {}
        differing = [name for name, value in self._run.items() if run.get(name) != value]
        raise InputError(
            "The backup is of another run, which this one cannot continue. Expected the same "
            "examples, options and length as before the interruption. Received: "
            f"{others[-1]}, which differs in {', '.join(differing)}. Restore the old arguments, "
            f"or delete {self._folder} to train anew."
        )

    def _path(self, epoch):
        return self._folder / f"{self._name}-{epoch:06d}.npz"
