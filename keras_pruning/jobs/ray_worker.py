"""Runs one function in a worker process of Ray, as `child` does in a process of this machine."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs import child
from keras_pruning.recipes import SWITCHES, environment, versions
from keras_pruning.storage.temporary import temporary_folder

# Environment variables that decide where decoded images are. A worker may have its own.
_CACHE = ("KERAS_PRUNING_CACHE", "KERAS_PRUNING_CACHE_LIMIT")
# Environment variables that decide on bits or on the model.
_VARIABLES = (*SWITCHES, "KERAS_BACKEND", "KERAS_HOME", "OMP_NUM_THREADS", "TF_ENABLE_ONEDNN_OPTS")


@dataclass(frozen=True)
class Surroundings:
    """The process that asks for the work, as each worker must see it.

    Args:
        folder: its working folder.
        path: its `sys.path`.
        variables: dictionary of its environment variables that matter.
        recipe: the versions and the environment that its recipes have.
        mark: path of a file in the shared folder of the results, or `None`.
    """

    folder: str
    path: list
    variables: dict
    recipe: dict
    mark: str | None

    @classmethod
    def here(cls, mark=None):
        """Returns the surroundings of this process."""
        names = (*_VARIABLES, *_CACHE)
        variables = {name: os.environ[name] for name in names if name in os.environ}
        return cls(os.getcwd(), list(sys.path), variables, _recipe(), mark)

    def set_up(self):
        """Makes this process such.

        Raises:
            InputError: if it does not see the folder of the results, or if its results would have
                another recipe.
        """
        for name in _VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(self.variables)
        sys.path += [entry for entry in self.path if entry not in sys.path]
        worker = os.uname().nodename if hasattr(os, "uname") else "this worker"
        shared = self.mark or self.folder
        if not (os.path.isdir(self.folder) and os.path.exists(shared)):
            missing = Path(self.mark).parent if os.path.isdir(self.folder) else self.folder
            raise InputError(
                "A worker of Ray does not see the folder of the results, or the folder that the "
                "command runs in. Expected both on storage that all machines share, at the same "
                f"path. Received: {worker} without {missing}"
            )
        os.chdir(self.folder)
        recipe = _recipe()
        if recipe != self.recipe:
            names = [name for name in recipe if recipe[name] != self.recipe.get(name)]
            raise InputError(
                "A worker of Ray would give other bits than the recipe of the results says. "
                f"Expected {[self.recipe.get(name) for name in names]} for {', '.join(names)}. "
                f"Received: {[recipe[name] for name in names]} on {worker}. Install the same "
                "packages on all machines, and use machines of one kind."
            )


def run(surroundings, function, arguments, threads):
    """Calls a function in this process, which takes no other call.

    Args:
        surroundings: `Surroundings` of the process that asks for the call.
        function, arguments, threads: as for `keras_pruning.jobs.child.run`.

    Returns:
        As `keras_pruning.jobs.child.run`.

    Raises:
        InputError: as `Surroundings.set_up` and `keras_pruning.jobs.child.run`.
    """
    surroundings.set_up()
    # TensorFlow does not remove its temporary files
    with temporary_folder() as folder:
        tempfile.tempdir = folder
        return child.run(function, arguments, threads)


def _recipe():
    return {**versions(), **environment()}
