"""The callback that writes the curves of a training run for TensorBoard."""

import json

import keras
import numpy as np

from keras_pruning.reports.event_files import EventFile

_CURVES = ("loss", "accuracy", "learning_rate")


class TrainingCurves(keras.callbacks.Callback):
    """Writes loss, accuracy and learning rate of each epoch to a TensorBoard event file.

    The tags are `train/loss`, `train/accuracy` (if the model has that metric) and
    `train/learning_rate`, the rate at the end of the epoch. A step is a finished epoch, counted
    from 1. The file is flushed after each epoch, so that an open TensorBoard follows the run.

    `keras.callbacks.TensorBoard` writes into subfolders, which TensorBoard shows as further runs.
    This callback writes into the folder itself, beside the result of the run.

    Args:
        folder: folder to write to, made if it is missing.

    Example:
        model.fit(x, y, epochs=5, callbacks=[TrainingCurves("runs/first")])
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self._events, self._points = None, []

    def on_train_begin(self, logs=None):
        self._events = EventFile(self.folder)
        # Points of an interrupted run
        for point in self._points:
            self._events.scalar(*point)

    def on_epoch_end(self, epoch, logs=None):
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        values = {**(logs or {}), "learning_rate": rate}
        for name in _CURVES:
            if name in values:
                point = f"train/{name}", float(values[name]), epoch + 1
                self._points.append(point)
                self._events.scalar(*point)
        self._events.flush()

    def state(self):
        """Returns the points so far, from which `resume` continues the curves in another file."""
        return {"points": np.array(json.dumps(self._points))}

    def resume(self, epoch, state):
        """Begins the next event file with the points of the first `epoch` epochs."""
        self._points = json.loads(str(state["points"]))

    def on_train_end(self, logs=None):
        self._events.close()
