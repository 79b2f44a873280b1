"""The curves of a training run, for TensorBoard."""

import keras


class TrainingCurves(keras.callbacks.Callback):
    """Writes loss, accuracy and learning rate of each epoch to an event file.

    The tags are `train/loss`, `train/accuracy`, where the model has that metric, and
    `train/learning_rate`, the rate at the end of the epoch. A step is a finished epoch, counted
    from 1. The file is flushed after each epoch, so that an open TensorBoard follows the run.

    `keras.callbacks.TensorBoard` writes through TensorFlow and into subfolders of its own; this
    callback writes into the file that later takes the run's result.

    Args:
        event_file: an open `keras_pruning.event_files.EventFile`; the caller closes it.

    Example:
        with EventFile(folder) as events:
            model.fit(x, y, epochs=5, callbacks=[TrainingCurves(events)])
    """

    def __init__(self, event_file):
        super().__init__()
        self.event_file = event_file

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        for name in ("loss", "accuracy"):
            if name in logs:
                self.event_file.scalar(f"train/{name}", logs[name], epoch + 1)
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self.event_file.scalar("train/learning_rate", rate, epoch + 1)
        self.event_file.flush()
