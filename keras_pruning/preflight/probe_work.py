"""Counts what one probe trains and which passes it makes to score, before it begins."""

import math
from dataclasses import dataclass

from keras_pruning.embeddings.sources import is_array
from keras_pruning.probing.collectors.passes import Passes
from keras_pruning.scores.score import EMBEDDINGS, INPUT_GRADIENTS, OUTPUTS, TRAIN
from keras_pruning.training.optimizers import learning_rates

# Examples at which probes compare their accuracy with that of `fit`.
_VERIFIED = 1024


@dataclass(frozen=True)
class ProbeWork:
    """The work of one probe, or of saved models in the place of one.

    Args:
        scores: list of `Score` instances.
        epochs: length of the run, or number of saved models.
        stop: number of epochs after which the run stops, 0 if nothing is trained.
        recorded: names of the scores that the training step records.
        drop: the epoch that begins with a dropped learning rate, or `None`.
    """

    scores: list
    epochs: int
    stop: int
    recorded: frozenset
    drop: int | None = None

    @classmethod
    def of_probe(cls, scores, training, data):
        """Returns the work of a probe.

        Args:
            scores: list of `Score` instances.
            training: `TrainingConfig` of the probe.
            data: `ScoredExamples`.
        """
        epochs = training.epochs
        trains = data.fraction < 1 or any(score.needs_model for score in scores)
        due = [epoch for score in scores for epoch in score.epochs_due(epochs)]
        names = [score.name for score in scores if score.mode == TRAIN and not data.unseen]
        stop = max(due, default=epochs) if trains else 0
        drop = dropping_epoch(training, len(data.trained_on)) if stop else None
        return cls(scores, epochs, stop, frozenset(names), drop)

    @classmethod
    def of_checkpoints(cls, scores, number):
        """Returns the work of as many saved models."""
        return cls(scores, number, 0, frozenset())

    def of_signal(self, signal):
        """Returns the scores that observe a signal."""
        return [score for score in self.scores if score.signal == signal]

    @property
    def output_passes(self):
        """The names of the scores of each pass that observes outputs, a list of tuples."""
        observing = [score for score in self.of_signal(OUTPUTS) if score.name not in self.recorded]
        passes = [
            tuple(score.name for score in observing if self._is_due(score, epoch))
            for epoch in range(1, self.epochs + 1)
        ]
        return [names for names in passes if names]

    def _is_due(self, score, epoch):
        """Returns whether a score looks at the end of an epoch, before or after a dropped rate."""
        dropped = score.before_learning_rate_drop and self.drop is not None and epoch >= self.drop
        return epoch in score.epochs_due(self.epochs) and not dropped

    @property
    def checkpoints(self):
        """Number of models whose input gradients are observed."""
        scores = self.of_signal(INPUT_GRADIENTS)
        return len({epoch for score in scores for epoch in score.epochs_due(self.epochs)})

    def passes(self, scored, support, extrapolated=0, model=None):
        """Returns the `Passes` of all examples.

        Args:
            scored: number of examples to score.
            support: number of other examples that neighbours come from.
            extrapolated: number of all examples, if the scores of some are estimated.
            model: the model, which tells whose layers embeddings are.
        """
        by_name = {score.name: score for score in self.scores}
        passes = Passes()
        for names in self.output_passes:
            gradients = [by_name[name].needs_gradients for name in names]
            passes.forward += scored * (not all(gradients))
            passes.weight_gradients += scored * any(gradients)
        passes.input_gradients = self.checkpoints * scored
        embedding = self.of_signal(EMBEDDINGS)
        sources = {request.source for score in embedding for request in score.embeddings(model)}
        passes.forward += (scored + support) * (None in sources)
        others = [source for source in sources if source is not None and not is_array(source)]
        passes.other_models = (scored + support) * len(others)
        passes.forward += extrapolated
        if self.stop:
            passes.forward += min(_VERIFIED, scored) * min(2, self.stop)
        passes.searches = bool(embedding) or extrapolated > 0
        return passes


def dropping_epoch(training, count):
    """Returns the first epoch that begins with half of the highest learning rate or less.

    Args:
        training: `TrainingConfig`.
        count: number of examples of an epoch.

    Returns:
        Integer counted from 1, or `None`.
    """
    steps = math.ceil(count / training.batch_size)
    rates = learning_rates(training.schedule, training.learning_rate, training.epochs * steps)
    if isinstance(rates, float):
        return None
    values = [float(rates(epoch * steps)) for epoch in range(training.epochs)]
    # The rates of these schedules never rise
    return next((epoch for epoch, rate in enumerate(values, 1) if rate <= values[0] / 2), None)
