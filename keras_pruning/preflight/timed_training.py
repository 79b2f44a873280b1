"""Times the training of a model on a few examples, in a child process."""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from keras_pruning.examples.fractions import stratified_rows
from keras_pruning.preflight.lines import Line
from keras_pruning.training import fit
from keras_pruning.training.checkpoint import EVERY, RunCheckpoint

# Seconds that the epochs of one fit take, and those of an epoch that is long enough.
_SECONDS, _LONG = 2.0, 0.7
# Factor of the learning rate, which takes the same time.
_RATE = 1e-6
# Epochs of one fit at most.
MOST_EPOCHS = 30


class Clock(keras.callbacks.Callback):
    """Measures the seconds of an epoch and ends a fit that has taken long enough.

    The first epoch is left out, because the graph is traced in it.

    Args:
        seconds: time after which the fit ends with its epoch.
    """

    def __init__(self, seconds):
        super().__init__()
        self._seconds, self._ends = seconds, []

    def on_epoch_end(self, epoch, logs=None):
        self._ends.append(time.perf_counter())
        if len(self._ends) > 1 and self._ends[-1] - self._ends[0] >= self._seconds:
            self.model.stop_training = True

    @property
    def epochs(self):
        """Number of epochs."""
        return len(self._ends)

    @property
    def epoch(self):
        """Median of the seconds of an epoch."""
        return float(statistics.median(np.diff(self._ends)))

    @property
    def fastest(self):
        """Seconds of the fastest epoch, which other work on the machine has slowed least."""
        return float(np.diff(self._ends).min())


class TimedTraining:
    """The seconds of training a model: of an epoch of any size, and beside the epochs.

    Args:
        model: the trained model.
        cold: seconds beside the epochs in a new process, most of them for tracing.
        warm: the same in a process that has trained before.
        epoch: `Line` from the examples of an epoch to its seconds.
        callback: last callback of the last fit, or `None`.
        count: number of examples of the last fit.
    """

    def __init__(self, build, examples, options, callbacks=lambda part: []):
        """Trains on a few examples and then on more.

        Args:
            build: function of no arguments that returns a new model.
            examples: `Examples` to train on.
            options: `TrainingConfig`.
            callbacks: function from a part of the examples to a list of Keras callbacks.
        """
        self._build, self._callbacks = build, callbacks
        # Many epochs of few examples could diverge.
        rate = options.learning_rate * _RATE
        self._options = options = dataclasses.replace(options, learning_rate=rate)
        total = len(examples)
        few = min(total, 2 * options.batch_size)
        clock, self.cold = self._fit(some(examples, few), _SECONDS / 4)
        points = [(few, clock.epoch)]
        self.count, self.warm = few, self.cold
        # An epoch of two slow batches tells enough.
        if clock.fastest < _LONG:
            more = round(few * _LONG / clock.fastest)
            more = min(total, max(more - more % options.batch_size, few))
            clock, self.warm = self._fit(some(examples, more), _SECONDS)
            points.append((more, clock.epoch))
            self.count = more
        self.epoch = Line.through(points)

    def _fit(self, part, seconds):
        """Returns the `Clock` of a fit and the seconds beside its epochs."""
        start, clock = time.perf_counter(), Clock(seconds)
        self.model = self._build()
        callbacks = self._callbacks(part)
        self.callback = callbacks[-1] if callbacks else None
        fit.train(
            self.model,
            part,
            self._options,
            stop_epoch=MOST_EPOCHS,
            callbacks=[*callbacks, clock],
        )
        rest = time.perf_counter() - start - clock.epochs * clock.epoch
        return clock, max(rest, 0.0)


def some(examples, count):
    """Returns a stratified random part of some examples, or these themselves."""
    if count >= len(examples):
        return examples
    return examples.at(stratified_rows(examples.labels, count, np.random.default_rng(0)))


def timed(function):
    """Returns the seconds that a function of no arguments takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measured_checkpoint(model):
    """Returns a dictionary of the seconds, interval and bytes of saved states of a run."""
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    # The optimizer has about as many
    state = {f"{part}/{number}": weight for part in "ab" for number, weight in enumerate(weights)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.npz")
        seconds = timed(lambda: RunCheckpoint(path, {}).save(state))
        return {"save": seconds, "every": EVERY, "checkpoint_bytes": path.stat().st_size}
