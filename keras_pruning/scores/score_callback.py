"""Scores in anybody's `model.fit`."""

import keras

from keras_pruning.scores.recorder import ScoreRecorder


class ScoreCallback(keras.callbacks.Callback):
    """Scores examples while a model trains.

    At the end of the epochs that a score needs, the callback passes over `examples` in order, in
    eval mode and without augmentation; everything due at one moment shares one pass. Training is
    not changed: weights, optimiser, moving statistics and random streams stay as they are.

    Args:
        examples: `Examples` to score, usually those that the model trains on.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes.
        epochs: length of the run that the scores' moments are counted in; by default the number
            of epochs that `fit` is told.

    Raises:
        InputError: when training begins, if the run is too short for a score; from `table()`, if
            it stopped before a score was due.

    Example:
        >>> callback = ScoreCallback(examples, scores=["el2n", VoG(every=1)])
        >>> model.fit(examples.batches(64, shuffle=True), epochs=5, callbacks=[callback])
        >>> table = callback.table()
    """

    def __init__(self, examples, scores, batch_size=256, epochs=None):
        super().__init__()
        self.epochs = epochs
        self._recorder = ScoreRecorder(examples, scores, batch_size)

    def on_train_begin(self, logs=None):
        self._recorder.start(self.epochs or self.params["epochs"], self.model)

    def on_epoch_end(self, epoch, logs=None):
        self._recorder.epoch_end(epoch + 1, self.model)

    def on_train_end(self, logs=None):
        self._recorder.finish(self.model)

    def table(self):
        """The scores of the last `fit`, a `ScoreTable` in the order of `examples.ids`."""
        return self._recorder.table()
