"""The base class of the methods that prune while training: batches, callback and state."""

import dataclasses
import math

import keras
import numpy as np

from keras_pruning.arguments import (
    options_of,
    require_examples,
    require_one_of,
    require_positive_integer,
    require_seed,
)
from keras_pruning.errors import InputError
from keras_pruning.examples import batches
from keras_pruning.reports.dynamic_curves import DynamicCurves
from keras_pruning.training import loss_recording
from keras_pruning.training.backup import Backup
from keras_pruning.training.dynamic.checks import (
    checked_choice,
    checked_weights,
    require_finite,
    warn_of_lost_losses,
)
from keras_pruning.training.epoch_log import EpochLog
from keras_pruning.training.optimizers import FollowsRun
from keras_pruning.training.pruned_run import PrunedRun

# Arguments that every method has, besides its options.
_COMMON = ("examples", "epochs", "seed", "loss", "backup_dir", "log_dir")


class DynamicPruning(keras.callbacks.Callback):
    """Decides at the start of each epoch which examples that epoch trains on.

    A method is a callback of `fit`, and makes its batches. The losses ℓ_i that it decides by are
    those that the examples last had in training: `recording` lets the training step write them
    down. A subclass sets `name` and overrides `choose`. Options are the arguments of its
    `__init__`, each stored as an attribute of the same name. Each run takes an object of its own.

    Args:
        examples: `Examples` to train on.
        epochs: number of epochs E of the run.
        seed: integer >= 0. With the number of the epoch, it fixes what is chosen, the order and the
            augmentation. The global random state is neither read nor changed.
        loss: `"example"` for the loss of each example, or `"batch"` for models whose loss is not
            per example or whose `train_step` is their own: the Batch Loss Score, a running mean
            ℓ_i ← 0.7 · ℓ_i + 0.3 · (mean loss of the batch that i was in). It begins with the first
            such loss.
        backup_dir: the `backup_dir` of a `keras.callbacks.BackupAndRestore` of the same fit. The
            losses are saved there after every epoch, and restored if training is resumed. The
            method stands before `BackupAndRestore` in the list of callbacks.
        log_dir: folder of a TensorBoard event file with the examples that each epoch keeps, as
            `reports.dynamic_curves.DynamicCurves` writes it. Defaults to none.

    Attributes:
        history: list of an `EpochLog` for each finished epoch.
        losses: `LossStore` that the training step writes to, `None` before `recording`.
        is_baseline: whether comparisons measure other methods against this one.

    Raises:
        InputError: if an argument is invalid. When training begins or an epoch ends, if the model
            does not record the losses, if the fit does not read `batches` as they are, or if a loss
            is not finite.

    Example:
        >>> pruning = kp.dynamic.InfoBatch(examples, epochs=30)
        >>> model = pruning.recording(model)
        >>> model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> model.fit(pruning.batches(128), epochs=30, callbacks=[pruning])
        >>> pruning.saved
        0.31
    """

    name = None
    is_baseline = False

    def __init__(self, examples, epochs, seed=0, loss="example", backup_dir=None, log_dir=None):
        super().__init__()
        require_examples(examples)
        self.examples, self.seed = examples, require_seed(seed)
        self.epochs = require_positive_integer("epochs", epochs, or_none=False)
        self.loss = require_one_of("loss", loss, loss_recording.KINDS)
        self.backup_dir, self.log_dir = backup_dir, log_dir
        self._curves = None if log_dir is None else DynamicCurves(log_dir, self)
        self._run, self._followers = PrunedRun(type(self).__name__), []
        # Plan and log of the epoch that runs
        self._plan, self._log, self._was_read = None, None, False

    @property
    def history(self):
        return self._run.logs

    @property
    def losses(self):
        return self._run.losses

    def choose(self, epoch, losses, rng):
        """Returns the rows of an epoch, and their weights unless all are 1.

        Args:
            epoch: number of the epoch, from 0.
            losses: float32 `(examples,)`, the loss that each example last had in training, infinite
                for one that has not been trained on.
            rng: `numpy.random.Generator` of this epoch.

        Returns:
            Integers `(kept,)` in any order, each at most once, or a tuple of these and floats
            `(kept,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `choose`.")

    def share(self, epoch):
        """Returns the share of the run that is done before an epoch, in [0, 1]."""
        return min(1.0, epoch / self.epochs)

    @property
    def fit_epochs(self):
        """The `epochs` of the fit."""
        return self.epochs

    def annealing_epoch(self, delta):
        """Returns ⌈δE⌉, the number of the first epoch after the fraction δ of the run."""
        return math.ceil(whole(delta * self.epochs))

    def get_config(self):
        """Returns the options of the method, without those that every method has."""
        options = options_of(self)
        return {name: options[name] for name in options if name not in _COMMON}

    def recording(self, model):
        """Prepares a model so that its training step writes down the losses.

        Weights and gradients stay as they are. Everything else that the model does stays the same.

        Args:
            model: Keras model. With `loss="example"`, one output and the training step of Keras.

        Returns:
            The model itself, to compile and to fit on `batches`, with this method among the
            callbacks.

        Raises:
            InputError: if the losses of the model cannot be recorded.
        """
        self._run.record_to(loss_recording.record(model, len(self.examples), self.loss))
        return model

    def batches(self, batch_size, augmentation=None, sample_weight=None):
        """Returns the batches of whichever epoch runs, of the examples that it trains on.

        Another call takes the same batch size and sample weights, and an augmentation if this one
        does.

        Args:
            batch_size: number of examples in a batch. The last batch may be smaller.
            augmentation: as for `Examples.batches`.
            sample_weight: floats `(examples,)` in the order of `examples.ids`, which the weights of
                the method multiply.

        Returns:
            A `tf.data.Dataset` of batches `({"x": inputs, "row": rows}, labels, weights)`. `map`
            may change the inputs in `"x"`, the labels and the weights.

        Raises:
            InputError: if an argument is invalid.
        """
        size = batches.checked_batch_size(batch_size)
        weights = checked_weights(sample_weight, len(self.examples))
        self._run.read_as(size, weights, augmentation)
        read = batches.reader(*self.examples.read_from, self.examples.labels)

        def arrays():
            self._was_read = True
            rows, factors, draws = self._plan or self._arranged(np.arange(len(self.examples)), None)
            return rows, factors * weights[rows], draws

        return batches.of_epochs(read, arrays, size, augmentation)

    def follow(self, schedule, steps):
        """Returns a learning rate schedule that follows the share of the run that is done.

        A schedule in steps would end too late, because the epochs have fewer steps than planned.

        Args:
            schedule: `keras.optimizers.schedules.LearningRateSchedule` over `steps` steps.
            steps: length of the run that the schedule is made for, in steps: usually
                `epochs * math.ceil(len(examples) / batch_size)`.
        """
        follower = FollowsRun(schedule, require_positive_integer("steps", steps, or_none=False))
        self._followers.append(follower)
        return follower

    def state(self):
        """Returns a dictionary of arrays from which `resume` continues an unfinished run."""
        return self._run.state()

    def resume(self, epoch, state):
        """Lets the next fit begin after `epoch` epochs, with the result of `state` after these."""
        self._run.restore(epoch, state)

    @property
    def examples_seen(self):
        """Number of examples in the steps of the finished epochs, counting repeats."""
        return sum(epoch.seen for epoch in self.history)

    @property
    def steps(self):
        """Number of optimiser steps in the finished epochs."""
        return sum(self._run.steps(epoch.seen) for epoch in self.history)

    @property
    def saved(self):
        """Fraction of the examples that the method left out, of all in as much of the run."""
        done = sum(
            (self.share(number + 1) - self.share(number)) * epoch.seen / epoch.kept
            for number, epoch in enumerate(self.history)
        )
        total = round(done * self.epochs * len(self.examples))
        return 1 - self.examples_seen / total if total else 0.0

    def on_train_begin(self, logs=None):
        epochs = self.params["epochs"]
        if epochs > self.fit_epochs:
            raise InputError(
                f"The fit is longer than the run. Expected epochs={self.fit_epochs} in `fit`, as "
                f"many as {type(self).__name__} was made for. Received: {epochs}"
            )
        loss_recording.require_recorded(self.model, self.losses)
        self._run.require_batches()
        if self.backup_dir is not None:
            self._run.backup = Backup(self.backup_dir, self._identity, "dynamic_pruning")
        if self._curves is not None:
            self._curves.on_train_begin()

    def on_train_end(self, logs=None):
        if self._curves is not None:
            self._curves.on_train_end()

    def on_epoch_begin(self, epoch, logs=None):
        if not self._run.knows_losses(epoch):
            warn_of_lost_losses(type(self).__name__, epoch)
        losses = self._run.begin(epoch)
        require_finite(losses, epoch)
        rng = np.random.default_rng([self.seed, epoch])
        chosen = self.choose(epoch, losses, rng)
        rows, factors = checked_choice(chosen, len(self.examples), type(self).__name__)
        self._log = EpochLog.of(self.examples, losses, rows)
        # The order is another draw of the same generator, and the augmentation a third
        order = rng.permutation(len(rows))
        factors = None if factors is None else factors[order]
        self._plan = self._arranged(rows[order], factors, rng)
        self._was_read, steps = False, len(self._plan[2])
        loss_recording.set_steps(self.model, steps)
        for follower in self._followers:
            start, end = self.share(epoch), self.share(epoch + 1)
            follower.begin(self.model.optimizer, start, (end - start) / steps)

    def on_epoch_end(self, epoch, logs=None):
        received = self.losses.count()
        # A callback may end the run within an epoch.
        least = 0 if self.model.stop_training else len(self._plan[0])
        self._run.require_trained(len(self._plan[0]), least, received, self._was_read)
        self._plan = None
        self._run.end(epoch, dataclasses.replace(self._log, seen=received))
        if self._curves is not None:
            self._curves.on_epoch_end(epoch)

    def _arranged(self, rows, factors, rng=None):
        """Returns rows, float32 weights and a pair of random numbers for each batch."""
        factors = np.ones(len(rows), np.float32) if factors is None else np.float32(factors)
        rng = np.random.default_rng(self.seed) if rng is None else rng
        draws = rng.integers(2**62, size=(self._run.steps(len(rows)), 2))
        return np.asarray(rows, np.int64), factors, draws

    @property
    def _identity(self):
        """Dictionary of everything that must be the same in a run that is resumed."""
        options = {**self.get_config(), "loss": self.loss, "seed": self.seed}
        return {
            "examples": self.examples.fingerprint,
            "method": self.name,
            "options": options,
            "epochs": self.epochs,
            **self._run.reading,
        }


def whole(value):
    """Returns a product of floats without its rounding error: 0.55 · 100 is 55."""
    return round(value, 9)
