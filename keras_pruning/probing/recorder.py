"""From a model at several moments to a score table: the steps that all drivers share."""

import copy

from keras_pruning import scores as registry
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples import Examples
from keras_pruning.models.graph import as_logits
from keras_pruning.probing.collectors import collectors_of
from keras_pruning.tables.score_table import ScoreTable


class ScoreRecorder:
    """Feeds scores with the signals of a model, by one collector for each signal.

    A driver calls `start`, then `epoch_begin` and `epoch_end` for each epoch, then `finish`, and
    reads `table`. Everything that is due at one moment shares one pass.

    Args:
        examples: `Examples` to score.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes come from. Defaults to the scored ones.

    Raises:
        InputError: if a score is unknown or given twice, or the support has another shape.
    """

    def __init__(self, examples, scores, batch_size=256, support=None):
        self.examples = examples
        self.support = _other_examples(support, examples)
        self.scores = _score_instances(scores)
        for score in self.scores:
            require_classes(score, examples.num_classes)
        self._collectors = collectors_of(self.scores, examples, batch_size, self.support)
        self._stores, self.epochs_due = [], {}

    def record_training(self, model, passes):
        """Prepares to take the scores of train mode from the outputs of the training step.

        Args:
            model: Keras model that ends in logits.
            passes: how often an example may come between two ends of an epoch.

        Returns:
            The store for the training step to write to, or `None` if no score takes train mode.

        Raises:
            InputError: if the model does not end in logits.
        """
        for collector in self._collectors.values():
            store = collector.record_training(model, passes)
            if store is not None:
                self._stores.append(store)
                return store
        return None

    def start(self, epochs, model=None, store=None):
        """Begins a run of `epochs` epochs and forgets an earlier one.

        Args:
            epochs: length of the run.
            model: the model that will be scored, if it is known already.
            store: the store of `record_training` that the training step writes to, if it does.

        Raises:
            InputError: if the run is too short for a score, the model cannot give a signal, or the
                store is another recorder's.
        """
        if store is not None and store not in self._stores:
            raise InputError(
                "The model records for other scores. Expected the model that `recording` of this "
                "very callback made."
            )
        # Check the length of the run, then what the model can give
        epochs_due = {score.name: score.epochs_due(epochs) for score in self.scores}
        logits = None if model is None else as_logits(model)
        for collector in self._collectors.values():
            collector.prepare(logits, store)
        # Forget the earlier run, and let every score forget it
        self.epochs_due = epochs_due
        self.epochs_seen = {score.name: [] for score in self.scores}
        self._model = self._logits = None
        self._highest_rate, self._rate_has_dropped = 0.0, False
        for score in self.scores:
            support = {"support": self.support} if score.needs_support else {}
            score.reset(self.examples, self.epochs_due[score.name], **support)

    def epoch_begin(self, learning_rate):
        """Notes the learning rate. It has dropped if it is half of its highest value or less."""
        self._highest_rate = max(self._highest_rate, learning_rate)
        half = self._highest_rate / 2
        self._rate_has_dropped |= bool(learning_rate <= half < self._highest_rate)

    def epoch_end(self, epoch, model):
        """Observes the signals that are due at the end of `epoch`, counted from 1."""
        # The same logits model for all epochs, so that its passes are traced once
        if self._model is not model:
            self._model, self._logits = model, as_logits(model)
        for collector in self._collectors.values():
            due = [score for score in collector.scores if self._is_due(score, epoch)]
            collector.observe(self._logits, due)
            for score in due:
                self.epochs_seen[score.name].append(epoch)

    def _is_due(self, score, epoch):
        # Past a drop, scores that end before it have all their values.
        dropped = score.before_learning_rate_drop and self._rate_has_dropped
        return epoch in self.epochs_due[score.name] and not dropped

    def finish(self, model):
        """Observes the signals that need the trained model or the weights of several moments.

        A run that was stopped early is scored as far as it got.
        """
        # The graphs of the passes are not needed any more.
        self._model = self._logits = None
        logits = None if model is None else as_logits(model)
        for collector in self._collectors.values():
            collector.finish(logits)

    def table(self, names=None):
        """Returns the `ScoreTable` of the finished run.

        Args:
            names: list of the scores to put into it. Defaults to all.

        Raises:
            InputError: if the run ended before one of these scores was due.
        """
        if not self.epochs_due:
            raise InputError("There are no scores yet. Expected a finished run, by `model.fit`.")
        scores = {score.name: score for score in self.scores}
        if unknown_names := [name for name in names or [] if name not in scores]:
            raise unknown("score of this run", unknown_names[0], scores)
        scores = {name: scores[name] for name in (scores if names is None else names)}
        for score in scores.values():
            self._require_values(score)
        # Put the table and its metadata together
        metadata = {"examples": self.examples.provenance}
        if self.support is not None:
            metadata["support"] = self.support.provenance
        metadata["scores"] = {name: self._metadata(score) for name, score in scores.items()}
        values = {name: score.result() for name, score in scores.items()}
        return ScoreTable(self.examples.ids, self.examples.labels, values, metadata=metadata)

    def _require_values(self, score):
        """Raises an `InputError` if the run ended before a score was due."""
        if score.is_complete:
            return
        complete = [score.name for score in self.scores if score.is_complete]
        raise InputError(
            f"`{score.name}` has no values. Expected a finished run that reaches {score.needed} of "
            f"the epochs {self.epochs_due[score.name]} and shows every example as often. Received: "
            f"one that reached {self.epochs_seen[score.name]}. Scores that have their values: "
            f"{complete}; `table({complete})` gives them."
        )

    def _metadata(self, score):
        """Returns the metadata of one score in the table."""
        return {
            "higher_is_harder": score.higher_is_harder,
            "config": score.get_config(),
            "epochs": self.epochs_seen[score.name],
            "mode": self._collectors[score.signal].mode(score),
            "over_seeds": score.over_seeds,
            **score.details(),
        }


def require_classes(score, num_classes):
    """Raises an `InputError` if a score needs more classes than there are."""
    if num_classes < score.fewest_classes:
        raise InputError(
            f"`{score.name}` compares classes. Expected examples of at least "
            f"{score.fewest_classes} classes. Received: {num_classes}"
        )


def _score_instances(scores):
    """Returns copies of the scores in a list of names and `Score` instances."""
    if isinstance(scores, str):
        raise InputError(f"Invalid `scores`. Expected a list. Received: scores={scores!r}")
    # Copies, because a user may give one instance to several runs at a time.
    scores = [copy.copy(registry.get(score)) for score in scores]
    names = [score.name for score in scores]
    if len(set(names)) < len(names) or not names:
        raise InputError(f"Invalid `scores`. Expected at least one, each once. Received: {names}")
    return scores


def _other_examples(support, examples):
    """Returns the support, or `None` if it is the scored examples.

    Raises:
        InputError: if it does not fit the scored examples.
    """
    if not isinstance(support, Examples | None):
        raise InputError(
            f"Invalid `support`. Expected Examples. Received: {type(support).__name__}. Make them "
            "with Examples.from_arrays."
        )
    if support is None or support is examples or support.fingerprint == examples.fingerprint:
        return None
    if (support.shape, support.num_classes) != (examples.shape, examples.num_classes):
        raise InputError(
            f"Invalid `support`. Expected examples of shape {examples.shape} and "
            f"{examples.num_classes} classes. Received: {support.shape} and {support.num_classes}"
        )
    return support
