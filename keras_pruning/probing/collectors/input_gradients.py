"""Collects input gradients: keeps the weights of several moments, then reads the data once."""

from keras import ops

from keras_pruning.backend.tensorflow.passes import observe_input_gradients, weights_of
from keras_pruning.backend.tensorflow.requirements import require_input_gradients
from keras_pruning.probing.collectors.collector import Collector, require_outputs


class InputGradientCollector(Collector):
    """Feeds scores with input gradients `(checkpoints, batch, ...)` at the end of training.

    A checkpoint is a copy of the weights at the end of an epoch at which some score is due.
    """

    def check(self, model):
        if model is not None:
            require_outputs(model, self.examples)
            require_input_gradients(model, self.examples)

    def prepare(self, model, store):
        self.release()

    def release(self):
        self._checkpoints = []
        # For each score, the checkpoints that it looks at, as positions in the list above.
        self._positions = {score.name: [] for score in self.scores}

    def observe(self, model, scores):
        if not scores:
            return
        for score in scores:
            self._positions[score.name].append(len(self._checkpoints))
        self._checkpoints.append(weights_of(model))

    def state(self):
        positions = {f"positions.{name}": places for name, places in self._positions.items()}
        return positions | {
            f"checkpoint.{number}.{place}": weight
            for number, weights in enumerate(self._checkpoints)
            for place, weight in enumerate(weights)
        }

    def restore(self, state):
        for name in self._positions:
            self._positions[name] = [int(place) for place in state[f"positions.{name}"]]
        # In the order of numbers, which is not that of their texts
        keys = sorted(
            tuple(map(int, key.split(".")[1:])) for key in state if key.startswith("checkpoint.")
        )
        self._checkpoints = [[] for number, place in keys if place == 0]
        for number, place in keys:
            self._checkpoints[number].append(state[f"checkpoint.{number}.{place}"])

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
            self.passes.input_gradients += len(self._checkpoints) * len(self.examples)
            for score in scores:
                score.update(values[score.name])

    def _observer(self, score):
        """Returns a function from the gradients of all checkpoints to the values of a score."""
        positions = self._positions[score.name]
        return lambda gradients: score.observe(ops.take(gradients, positions, axis=0))
