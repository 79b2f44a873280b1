"""The file from which work that was killed goes on, and the callback that writes it in a fit."""

import contextlib
import json
import logging
import time

import keras
import numpy as np

from keras_pruning.storage import clear_leftovers, new_file
from keras_pruning.storage.unfinished import DAMAGED, IDENTITY

logger = logging.getLogger("keras_pruning")
# Seconds of work that a kill may cost if epochs are shorter
EVERY = 1.0
_EPOCH, _SECONDS, _SPENT = "epoch", "seconds", "spent"


class RunCheckpoint:
    """A file with the state of unfinished work at the end of an epoch.

    Short epochs are not saved each: a kill costs an epoch or about a second of work, whichever
    takes longer.

    Args:
        path: `Path` of the file, whose name ends in `.npz`.
        identity: dictionary of JSON values that identifies the run, such as its recipe.

    Attributes:
        spent: seconds of the processes before, until the state that `load` has returned.
    """

    def __init__(self, path, identity):
        self._path = path
        self._identity = json.dumps(identity, sort_keys=True)
        self._begun = self._saved = time.perf_counter()
        self._offered = None
        self._made = None
        self.spent = 0.0

    def load(self):
        """Returns the saved state, a dictionary of arrays, or `None` if there is none of this run.

        A file of another run or a damaged one is replaced by the next state.
        """
        try:
            # NumPy leaves a damaged file open that it has opened itself
            with open(self._path, "rb") as opened, np.load(opened) as file:
                if str(file[IDENTITY]) == self._identity:
                    self.spent = float(file[_SPENT])
                    return {name: file[name] for name in file if name not in (IDENTITY, _SPENT)}
            reason = "it has another recipe"
        except FileNotFoundError:
            return None
        except DAMAGED:
            reason = "it is damaged"
        logger.info("Left out the checkpoint %s: %s. The work begins anew.", self._path, reason)
        return None

    def offer(self, state):
        """Saves the result of `state()`, unless the next one will still be within a second.

        It is expected after as long as this one. How long the first takes says little, because the
        start of the work is in it.
        """
        now = time.perf_counter()
        coming = 0.0 if self._offered is None else now - self._offered
        if now - self._saved + coming >= EVERY:
            self.save(state())
        self._offered = time.perf_counter()

    def save(self, state):
        """Replaces the file by one with this state, a dictionary of arrays."""
        spent = self.spent + time.perf_counter() - self._begun
        added = {IDENTITY: np.array(self._identity), _SPENT: np.array(spent)}
        if self._made is None:
            self._made = [folder for folder in self._path.parents if not folder.exists()]
        # A file object, because `savez` adds a suffix to paths
        with new_file(self._path, overwrite=True) as partial, open(partial, "wb") as file:
            np.savez(file, **added, **state)
        self._saved = time.perf_counter()

    def remove(self):
        """Removes the file, and the folders that this process has made for it, if they are empty.

        It is called if the run is finished, or if it can never be.
        """
        clear_leftovers(self._path)
        self._path.unlink(missing_ok=True)
        for folder in self._made or ():
            with contextlib.suppress(OSError):
                folder.rmdir()


class Checkpointing(keras.callbacks.Callback):
    """Saves the state of a run at the end of its epochs, and restores it.

    The state consists of the weights, the state of the optimizer, of the random generators of
    layers and of the other callbacks. The position in the data follows from the number of epochs.
    A run that goes on with it ends with the same bits as one that was not interrupted, unless code
    of the user keeps a state elsewhere.

    This callback stands behind all others.

    Args:
        checkpoint: `RunCheckpoint`.
        model: compiled Keras model with a built optimizer.
        callbacks: list of the other callbacks. Those with the methods `state` and `resume` are
            part of the state.

    Attributes:
        epochs: number of epochs that the run had before.
        seconds: number of seconds that these took.
    """

    def __init__(self, checkpoint, model, callbacks):
        super().__init__()
        self.epochs, self.seconds = 0, 0.0
        self._checkpoint, self._variables = checkpoint, _variables(model)
        self._parts = {
            f"{type(callback).__name__}/": callback
            for callback in callbacks
            if hasattr(callback, "resume")
        }
        self._started = None
        state = checkpoint.load()
        if state is not None:
            self._restore(state)

    def on_train_begin(self, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self._checkpoint.offer(lambda: self._state(epoch + 1))

    def _state(self, epochs):
        """Returns a dictionary of arrays after a number of epochs."""
        seconds = self.seconds + time.perf_counter() - self._started
        state = {_EPOCH: np.array(epochs), _SECONDS: np.array(seconds)}
        for name, variable in self._variables.items():
            state[name] = _as_stored(keras.ops.convert_to_numpy(variable))
        for prefix, part in self._parts.items():
            state |= {prefix + name: values for name, values in part.state().items()}
        return state

    def _restore(self, state):
        """Puts the model, the optimizer and the other callbacks into a saved state."""
        self.epochs, self.seconds = int(state[_EPOCH]), float(state[_SECONDS])
        for name, variable in self._variables.items():
            dtype = keras.ops.convert_to_numpy(variable).dtype
            variable.assign(state[name].view(dtype) if dtype.kind == "V" else state[name])
        for prefix, part in self._parts.items():
            names = [name for name in state if name.startswith(prefix)]
            part.resume(self.epochs, {name.removeprefix(prefix): state[name] for name in names})


def _variables(model):
    """Returns the variables of a model and its optimizer by name."""
    # Those of the model have the random generators of its layers
    groups = {"model": model.variables, "optimizer": model.optimizer.variables}
    return {
        f"{group}/{number}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }


def _as_stored(values):
    """Returns an array whose dtype NumPy can save: bfloat16 as the integers of its bits."""
    return values.view(f"u{values.dtype.itemsize}") if values.dtype.kind == "V" else values
