"""Scores in anybody's `model.fit`."""

import keras

from keras_pruning.errors import InputError
from keras_pruning.probing.recorder import ScoreRecorder
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

    Args:
        examples: `Examples` to score, usually those that the model trains on.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes. Defaults to 256.
        epochs: length of the run, from which scores derive the epochs that they look at. Defaults
            to the number of epochs of `fit`.
        support: `Examples` that the model trains on, if `examples` are others. Neighbours and
            prototypes come from them.

    Raises:
        InputError: when training begins, if the run is too short for a score. In `table()`, if
            the run stopped before a score was due.

    Example:
        >>> callback = ScoreCallback(examples, scores=["el2n", VoG(every=1)])
        >>> model.fit(examples.batches(64, shuffle=True), epochs=5, callbacks=[callback])
        >>> table = callback.table()
    """

    def __init__(self, examples, scores, batch_size=256, epochs=None, support=None):
        super().__init__()
        self.records_scores_of, self.epochs = examples, epochs
        self._recorder = ScoreRecorder(examples, scores, batch_size, support)

    def recording(self, model, passes=1):
        """Returns a model over the same layers whose training step gives its outputs to the scores.

        Args:
            model: Keras model that ends in logits.
            passes: how often an example may come in an epoch of `fit`.

        Returns:
            A Keras model to compile and to fit, with this callback, on
            `examples.batches(..., rows=True)`, or `model` itself if no score takes train mode.

        Raises:
            InputError: if the model does not end in logits, or has a training step or a loss of
                its own, which would not be called.

        Example:
            >>> model = callback.recording(model)
            >>> model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
            >>> batches = examples.batches(64, shuffle=True, rows=True)
            >>> model.fit(batches, epochs=5, callbacks=[callback])
        """
        overridden = [name for name in ("train_step", "compute_loss") if _overrides(model, name)]
        if overridden:
            raise InputError(
                "The model has a training step of its own, which recording would replace. Expected "
                f"Keras' own train_step and compute_loss. Received: {type(model).__name__} with "
                f"{' and '.join(overridden)}. Use the callback without `recording`: it sees eval "
                "mode."
            )
        # Without a score of train mode there is nothing to record.
        store = self._recorder.record_training(model, passes)
        return model if store is None else RecordingModel(model, store)

    def on_train_begin(self, logs=None):
        store = self.model.store if isinstance(self.model, RecordingModel) else None
        self._recorder.start(self.epochs or self.params["epochs"], self._scored_model, store)

    def on_train_batch_begin(self, batch, logs=None):
        # A later callback may change the rate at the beginning of the epoch.
        if batch == 0 and self.model.optimizer is not None:
            rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
            self._recorder.epoch_begin(float(rate))

    def on_epoch_end(self, epoch, logs=None):
        self._recorder.epoch_end(epoch + 1, self._scored_model)

    def on_train_end(self, logs=None):
        self._recorder.finish(self._scored_model)

    def table(self, names=None):
        """Returns the scores of the last `fit`, a `ScoreTable` in the order of `examples.ids`.

        Args:
            names: list of the scores to put into it, for a run that stopped before others were
                due. Defaults to all.

        Raises:
            InputError: if the run stopped before one of these scores was due.
        """
        return self._recorder.table(names)

    @property
    def _scored_model(self):
        """The model that the user gave to `fit` or to `recording`."""
        return self.model.recorded if isinstance(self.model, RecordingModel) else self.model


def _overrides(model, method):
    """Returns whether a model has a method of its own in place of Keras'."""
    return getattr(type(model), method) is not getattr(keras.Model, method)
