"""Collects input gradients: keeps the weights of several moments, then reads the data once."""

from keras import ops

from keras_pruning.backend.tensorflow.passes import observe_input_gradients, weights_of
from keras_pruning.backend.tensorflow.requirements import require_input_gradients
from keras_pruning.probing.collectors.collector import Collector


class InputGradientCollector(Collector):
    """Feeds scores with input gradients `(checkpoints, batch, ...)` at the end of training.

    A checkpoint is a copy of the weights at the end of an epoch at which some score is due.
    """

    def prepare(self, model, store):
        if model is not None:
            require_input_gradients(model, self.examples)
        self._checkpoints = []
        # For each score, the checkpoints that it looks at, as positions in the list above.
        self._positions = {score.name: [] for score in self.scores}

    def observe(self, model, scores):
        if not scores:
            return
        for score in scores:
            self._positions[score.name].append(len(self._checkpoints))
        self._checkpoints.append(weights_of(model))

    def finish(self, model):
        # A run that was stopped early may be too short for some scores.
        scores = [
            score
            for score in self.scores
            if len(self._positions[score.name]) >= score.fewest_epochs
        ]
        if scores:
            values = observe_input_gradients(
                model,
                self._checkpoints,
                self.examples,
                {score.name: self._observer(score) for score in scores},
                self.batch_size,
            )
            for score in scores:
                score.update(values[score.name])
        self._checkpoints = []

    def _observer(self, score):
        """Returns a function from the gradients of all checkpoints to the values of a score."""
        positions = self._positions[score.name]
        return lambda gradients: score.observe(ops.take(gradients, positions, axis=0))
