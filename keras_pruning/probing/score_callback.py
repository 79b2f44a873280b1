"""Scores in anybody's `model.fit`."""

import keras

from keras_pruning.arguments import require_positive_integer
from keras_pruning.errors import InputError
from keras_pruning.probing.accuracy_guard import AccuracyGuard
from keras_pruning.probing.after_fit import after_all_callbacks
from keras_pruning.probing.collectors.passes import passes_of, restore_passes, state_of
from keras_pruning.probing.fit_checks import (
    require_one_label,
    require_recordable,
    warn_of_rounded_integers,
)
from keras_pruning.probing.recorder import ScoreRecorder
from keras_pruning.probing.run_warnings import (
    examples_in_loss,
    warn_of_late_begin,
    warn_of_unread_scores,
    warn_of_validation_split,
)
from keras_pruning.training.backup import Backup
from keras_pruning.training.recording import RecordingModel


class ScoreCallback(keras.callbacks.Callback):
    """Scores examples while a model trains.

    At the end of the epochs that a score needs, the callback passes over `examples` in order, in
    eval mode and without augmentation. All scores that are due at one moment share one pass.
    Training is not changed: weights, optimiser, moving statistics and random streams stay as they
    are.

    Scores of every epoch (forgetting, AUM, data maps, …) cost one pass for each epoch. They then
    see outputs in eval mode, although their papers use the outputs of the training step. Train
    `callback.recording(model)` in place of the model to give them those outputs without any pass.

    Scores of the trained model (prediction depth, prototypes) belong to the weights that `fit`
    leaves, whatever the order of the callbacks. With `EarlyStopping(restore_best_weights=True)`
    these are the restored ones. All other scores belong to the ends of their epochs.

    Args:
        examples: `Examples` to score, usually those that the model trains on.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes. Fewer take less memory. Defaults to
            256.
        epochs: length of the run, from which scores derive the epochs that they look at. Defaults
            to the number of epochs of `fit`. If it is given, several fits of the same model make
            one run, until this number of epochs is reached.
        support: `Examples` that the model trains on, if `examples` are others. Neighbours and
            prototypes come from them.
        backup_dir: the `backup_dir` of a `keras.callbacks.BackupAndRestore` of the same fit. The
            callback saves its state there after every epoch, and carries on with it if training is
            resumed. It stands before `BackupAndRestore` in the list of callbacks.
        output: name of the output to score, if the model has several: the name of its layer, or
            its key if the model returns a dictionary.
        verify: whether to compare the inputs that `fit` reads, their mean and deviation, and its
            accuracy with those of the examples, at the end of its first and of its last epoch. A
            contradiction means that scores would be of other values than the model has learned,
            and is an error or, if it is small, a warning. Pass `False` if the examples are meant to
            differ from those of `fit`. Defaults to `True`.

    Labels are those of the examples. The scores ignore `sample_weight`, `class_weight` and label
    smoothing, which change only the loss that the model trains with.

    Raises:
        InputError: when training begins, if the run is too short for a score or the model cannot
            give it. At the end of an epoch, if `verify` finds a contradiction. In `table()`, if the
            run stopped before a score was due, or if a score of several epochs has seen only a part
            of them.

    Example:
        >>> callback = ScoreCallback(examples, scores=["el2n", VoG(every=1)])
        >>> model.fit(examples.batches(64, shuffle=True), epochs=5, callbacks=[callback])
        >>> table = callback.table()
    """

    def __init__(
        self,
        examples,
        scores,
        batch_size=256,
        epochs=None,
        support=None,
        backup_dir=None,
        output=None,
        verify=True,
    ):
        super().__init__()
        self.records_scores_of, self.backup_dir = examples, backup_dir
        self.epochs = require_positive_integer("epochs", epochs)
        self._recorder = ScoreRecorder(examples, scores, batch_size, support, output)
        self._backup = self._fitted = self._uncounted = None
        self._has_ended, self._was_read, self._trained_on = False, True, 0
        guard = AccuracyGuard(examples, support is None, output, batch_size) if verify else None
        self._guard = guard
        self._is_verified, self._epoch, self._earlier = False, 0, None

    def recording(self, model, passes=1):
        """Returns a model over the same layers whose training step gives its outputs to the scores.

        Args:
            model: Keras model of one output. If it ends in a softmax or a sigmoid, the scores get
                the logits before it.
            passes: how often an example may come in an epoch of `fit`.

        Returns:
            A Keras model to compile and to fit, with this callback, on
            `examples.batches(..., rows=True)`, or `model` itself if no score takes train mode.

        Raises:
            InputError: if the model does not give logits, has several outputs, or has a training
                step or a loss of its own, which would not be called.

        Example:
            >>> model = callback.recording(model)
            >>> model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
            >>> batches = examples.batches(64, shuffle=True, rows=True)
            >>> model.fit(batches, epochs=5, callbacks=[callback])
        """
        require_recordable(model)
        passes = require_positive_integer("passes", passes)
        store = self._recorder.record_training(model, passes)
        return (
            model if store is None else RecordingModel(model, store, self._recorder.examples.spec)
        )

    def on_train_begin(self, logs=None):
        self._recorder.check(self._run_length, self._scored_model, self._store)
        require_one_label(self.model, self._recorder.logits_of(self._scored_model))
        if self._fitted is None:
            # Once, because it may read all examples
            warn_of_rounded_integers(self._scored_model, self.records_scores_of)
        self._uncounted, self._has_ended = None, False
        self._is_verified, self._epoch = False, 0
        if self.backup_dir is not None:
            identity = self._recorder.identity(self._run_length, self._store)
            self._backup = Backup(self.backup_dir, identity)
            # A run that was interrupted after its last epoch has none left to begin.
            if self._recorder.progress is None:
                self._restore(self._run_length)
        if self._earlier is not None:
            self._go_on()
        after_all_callbacks(self.model, self._on_last_train_end)
        if self._guard is not None:
            self._guard.begin(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        if self._uncounted is None:  # Keras tells the first epoch of a fit no earlier
            self._uncounted = self._begin(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        # A later callback may change the rate at the beginning of the epoch
        if batch == 0 and self.model.optimizer is not None:
            rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
            self._recorder.epoch_begin(float(rate))

    def on_test_begin(self, logs=None):
        # Inside `fit`: the loss still counts the training examples of this epoch
        if self._uncounted is not None and not self._has_ended:
            self._trained_on = examples_in_loss(self.model)

    def on_epoch_end(self, epoch, logs=None):
        self.on_epoch_begin(epoch)  # Without effect, unless a loop of the user leaves it out
        if self._trained_on:
            counts = self._trained_on, examples_in_loss(self.model)
            warn_of_validation_split(*counts, len(self.records_scores_of))
            self._trained_on = 0
        self._epoch, is_last = epoch + 1, epoch + 1 == self.params["epochs"]
        if not self._is_verified or is_last:
            self._verify(logs, is_last)
        epoch += 1 + self._uncounted
        self._recorder.epoch_end(epoch, self._scored_model)
        if self._backup is not None:
            self._backup.save(epoch, self._recorder.state())

    def on_train_end(self, logs=None):
        # Training may end before its last epoch.
        if 0 < self._epoch < self.params["epochs"]:
            self._verify(logs, is_last=True)
        if self._guard is not None:
            self._guard.end()
        self._has_ended = True

    def table(self, names=None, partial=False):
        """Returns the scores of the last run, a `ScoreTable` in the order of `examples.ids`.

        Args:
            names: list of the scores to put into it, for a run that stopped before others were
                due. Defaults to all.
            partial: whether to allow scores of several epochs, such as AUM and forgetting, that
                have seen only some of their epochs. Defaults to `False`.

        Raises:
            InputError: if the run stopped before one of these scores was due, or if a score has
                seen only a part of its epochs and `partial` is false.
        """
        recorder = self._recorder
        if self._has_ended and recorder.progress and not recorder.is_finished:
            recorder.finish(self._scored_model)
        self._was_read = True
        return recorder.table(names, partial)

    def _verify(self, logs, is_last):
        """Compares the examples with the logs of an epoch of `fit`."""
        self._is_verified = True
        if self._guard is not None:
            logits = self._recorder.logits_of(self._scored_model)
            try:
                self._guard.check(self.model, logits, logs, self._epoch, is_last)
            except InputError:
                # Keras ends the fit without `on_train_end`.
                self._guard.end()
                raise

    def _begin(self, first):
        """Begins a run with this fit, or carries on the run of an earlier one.

        Args:
            first: number of epochs before this fit, as `initial_epoch` or a backup has it.

        Returns:
            Number of epochs of the run that the fit does not count.
        """
        recorder, scored = self._recorder, self._scored_model
        earlier = recorder.progress.reached if recorder.progress else 0
        # Fits that all count from 0 are one run if the user has given its length.
        fits = self.epochs is not None and earlier + self.params["epochs"] <= self.epochs
        uncounted = earlier if fits and first == 0 and self._fitted is scored else 0
        self._fitted = scored
        start = first + uncounted
        if not (obstacle := recorder.obstacle(self._run_length, scored, self._store, start)):
            recorder.carry_on(self._store)
            return uncounted
        # Another run begins, unless its earlier epochs are in the backup
        if not self._was_read and earlier:
            warn_of_unread_scores(recorder.progress, obstacle)
        self._was_read = False
        if not (first and self._restore(first)):
            recorder.begin(self._run_length, scored, self._store, first)
            warn_of_late_begin(recorder, obstacle)
        return 0

    def _restore(self, epoch):
        """Restores the state at the end of an epoch, and returns whether there is one."""
        if self._backup is None or epoch not in self._backup.epochs:
            return False
        self._recorder.begin(self._run_length, self._scored_model, self._store)
        self._recorder.restore(self._backup.load(epoch))
        return True

    def state(self):
        """Returns a dictionary of arrays from which `resume` continues an unfinished run."""
        return {**self._recorder.state(), **state_of(self.passes)}

    def resume(self, epoch, state):
        """Lets the next fit begin after `epoch` epochs, with the result of `state` after these."""
        self._earlier = state

    def _go_on(self):
        """Continues the run of another process, which has verified the examples."""
        restore_passes(self.passes, self._earlier)
        self._recorder.begin(self._run_length, self._scored_model, self._store)
        self._recorder.restore(self._earlier)
        self._is_verified, self._was_read, self._earlier = True, False, None

    def _on_last_train_end(self):
        """Takes the scores of the trained model, unless later fits carry on the run."""
        # A `History` of the user may stand before the other callbacks.
        if not self._has_ended:
            return
        progress = self._recorder.progress
        # Another callback may have read the table before the last of them changed the weights.
        if progress is None or self._recorder.is_of(self._scored_model):
            return
        was_stopped = progress.reached - (self._uncounted or 0) < self.params["epochs"]
        if progress.is_over or was_stopped:
            self._recorder.finish(self._scored_model)

    @property
    def passes(self):
        """The `Passes` of scoring so far, a list."""
        return passes_of(self._recorder) + ([self._guard.passes] if self._guard else [])

    @property
    def _run_length(self):
        return self.epochs or self.params["epochs"]

    @property
    def _store(self):
        """The store that the training step writes to, or `None`."""
        return self.model.store if isinstance(self.model, RecordingModel) else None

    @property
    def _scored_model(self):
        """The model that the user gave to `fit` or to `recording`."""
        return self.model.recorded if isinstance(self.model, RecordingModel) else self.model
