"""The callback that writes the dynamic subset of each epoch for TensorBoard."""

import keras
import numpy as np

from keras_pruning.reports.event_files import EventFile

# Most classes with a curve of their own.
_MOST_CLASSES = 50


class DynamicCurves(keras.callbacks.Callback):
    """Writes the examples that each epoch keeps to a TensorBoard event file.

    The tags are `dynamic/kept`, the share of all examples, `dynamic_classes/NAME`, the share of the
    examples of a class (the first 50 classes), and the histograms `dynamic/losses` and
    `dynamic/kept_losses` of the losses that the method decided by, without examples that had none.
    A step is a finished epoch, counted from 1. The file is flushed after each epoch.

    Args:
        folder: folder to write to, made if it is missing.
        pruning: the method, with its `examples` and its `history`. It stands before this callback
            in the list of callbacks.

    Example:
        pruning = kp.dynamic.InfoBatch(examples, epochs=30)
        callbacks = [pruning, DynamicCurves("runs/first", pruning)]
    """

    def __init__(self, folder, pruning):
        super().__init__()
        self.folder, self.pruning = folder, pruning
        self._events = None

    def on_train_begin(self, logs=None):
        self._events = EventFile(self.folder)

    def on_epoch_end(self, epoch, logs=None):
        write_epoch(self._events, epoch + 1, self.pruning.history[-1], self.pruning.examples)
        self._events.flush()

    def on_train_end(self, logs=None):
        self._events.close()


def write_epoch(events, step, log, examples):
    """Writes the examples that one epoch kept.

    Args:
        events: `EventFile`.
        step: number of the epoch, from 1.
        log: `EpochLog`.
        examples: `Examples` that the method chose from.
    """
    events.scalar("dynamic/kept", log.kept / len(examples), step)
    sizes = np.bincount(examples.labels, minlength=examples.num_classes)
    shares = log.class_kept / np.maximum(sizes, 1)
    for name, share in zip(examples.class_names[:_MOST_CLASSES], shares, strict=False):
        events.scalar(f"dynamic_classes/{name}", share, step)
    if log.edges is not None:
        events.buckets("dynamic/losses", log.edges, log.losses, step)
        events.buckets("dynamic/kept_losses", log.edges, log.kept_losses, step)
