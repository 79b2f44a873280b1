"""The callback that writes the curves of a training run for TensorBoard."""

import keras

from keras_pruning.reports.event_files import EventFile


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
        self._events = None

    def on_train_begin(self, logs=None):
        self._events = EventFile(self.folder)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        for name in ("loss", "accuracy"):
            if name in logs:
                self._events.scalar(f"train/{name}", logs[name], epoch + 1)
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self._events.scalar("train/learning_rate", rate, epoch + 1)
        self._events.flush()

    def on_train_end(self, logs=None):
        self._events.close()
