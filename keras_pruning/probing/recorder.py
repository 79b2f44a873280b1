"""From a model at several moments to the values of several scores: what all drivers share."""

import copy

from keras import ops

from keras_pruning import scores as registry
from keras_pruning.backend.tensorflow.passes import (
    OutputPass,
    observe_input_gradients,
    require_logits,
    weights_of,
)
from keras_pruning.backend.tensorflow.row_store import PresentationStore
from keras_pruning.embeddings import layers
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples import Examples
from keras_pruning.models.graph import as_logits, require_penultimate
from keras_pruning.scores.score import EMBEDDINGS, EVAL, INPUT_GRADIENTS, OUTPUTS, TRAIN
from keras_pruning.tables.score_table import ScoreTable


def require_classes(score, num_classes):
    """Raises an `InputError` if a score needs more classes than there are."""
    if num_classes < score.fewest_classes:
        raise InputError(
            f"`{score.name}` compares classes. Expected examples of at least "
            f"{score.fewest_classes} classes. Received: {num_classes}"
        )


def _other_examples(support, examples):
    """`support`, checked to fit `examples`; `None` if it is the same examples."""
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


class ScoreRecorder:
    """Feeds scores with the signals of a model; everything due at one moment shares one pass.

    Args:
        examples: `Examples` to score.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes are taken from; by default the scored
            ones.

    Raises:
        InputError: if a score is unknown or given twice, or the support has another shape.
    """

    def __init__(self, examples, scores, batch_size=256, support=None):
        self.examples, self.batch_size = examples, batch_size
        self.support = _other_examples(support, examples)
        self.epochs_due, self._stores = {}, []
        if isinstance(scores, str):
            raise InputError(f"Invalid `scores`. Expected a list. Received: scores={scores!r}")
        self.scores = [copy.copy(registry.get(score)) for score in scores]
        names = [score.name for score in self.scores]
        if len(set(names)) < len(names) or not names:
            raise InputError(
                f"Invalid `scores`. Expected at least one, each once. Received: {names}"
            )
        for score in self.scores:
            require_classes(score, examples.num_classes)

    def record_training(self, model, passes):
        """Prepares to take the scores of train mode from the outputs of the training step.

        Args:
            model: Keras model that ends in logits.
            passes: how often an example may come between two ends of an epoch.

        Returns:
            The `PresentationStore` that the training step has to write to; `None` if no score
            takes train mode.
        """
        observers = {score.name: score.observe for score in self.scores if score.mode == TRAIN}
        if not observers:
            return None
        require_logits(model, self.examples)
        store = PresentationStore(observers, self.examples, passes)
        self._stores.append(store)
        return store

    def start(self, epochs, model=None, store=None):
        """Begins a run of `epochs` epochs; forgets an earlier one.

        Args:
            epochs: length of the run.
            model: the model that will be scored, to find out now what it cannot give.
            store: `PresentationStore` that the training step writes to, of `record_training`.

        Raises:
            InputError: if the run is too short for a score, the model cannot give what a score
                needs, or the store is another recorder's.
        """
        if store is not None and store not in self._stores:
            raise InputError(
                "The model records for other scores. Expected the model that `recording` of this "
                "very callback made."
            )
        self._store = store
        self._require_signals(None if model is None else as_logits(model))
        self.epochs_due = {score.name: score.epochs_due(epochs) for score in self.scores}
        self.epochs_seen = {score.name: [] for score in self.scores}
        self._checkpoints, self._model, self._output_passes = {}, None, {}
        self._highest_rate, self._rate_has_dropped = 0.0, False
        if store is not None:
            store.clear()
        for score in self.scores:
            support = {"support": self.support} if score.signal == EMBEDDINGS else {}
            score.reset(self.examples, self.epochs_due[score.name], **support)

    def _require_signals(self, model):
        scores = [score for score in self.scores if model is not None or not score.needs_model]
        if any(score.needs_penultimate for score in scores):
            require_penultimate(model)
        wanted = self._wanted(model, scores)
        # The layers of a model that was never called do not exist yet.
        known = [each for each in wanted if each.source is not None or model.built]
        layers.require_embeddings(model, self.examples, known, self.support)

    def _wanted(self, model, scores):
        """What scores look at in one pass over the model, each once."""
        scores = [score for score in scores if score.signal == EMBEDDINGS]
        return list(dict.fromkeys(each for score in scores for each in score.wanted(model)))

    def epoch_begin(self, learning_rate):
        """Notes the learning rate; it has dropped when it is half of its highest or less."""
        self._highest_rate = max(self._highest_rate, learning_rate)
        half = self._highest_rate / 2
        self._rate_has_dropped |= bool(learning_rate <= half < self._highest_rate)

    def epoch_end(self, epoch, model):
        """Scores what is due at the end of `epoch`, counted from 1."""
        due = [score for score in self.scores if self._is_due(score, epoch)]
        of_outputs = [score for score in due if score.signal == OUTPUTS]
        recorded = [score for score in of_outputs if self._mode(score) == TRAIN]
        self._observe_outputs(model, [score for score in of_outputs if score not in recorded])
        self._take_recorded(recorded)
        if any(score.signal == INPUT_GRADIENTS for score in due):
            self._checkpoints[epoch] = weights_of(as_logits(model))
        for score in due:
            self.epochs_seen[score.name].append(epoch)

    def _is_due(self, score, epoch):
        dropped = score.before_learning_rate_drop and self._rate_has_dropped
        return epoch in self.epochs_due[score.name] and not dropped

    def _mode(self, score):
        return TRAIN if score.mode == TRAIN and self._store is not None else EVAL

    def finish(self, model):
        """Scores what needs the weights of several moments or the trained model.

        A run that was stopped early is scored as far as it got.
        """
        self._model, self._output_passes = None, {}
        model = None if model is None else as_logits(model)
        self._observe_gradients(
            model,
            [
                score
                for score in self.scores
                if score.signal == INPUT_GRADIENTS
                and len(self.epochs_seen[score.name]) >= score.fewest_epochs
            ],
        )
        self._observe_embeddings(
            model, [score for score in self.scores if score.signal == EMBEDDINGS]
        )

    def table(self, names=None):
        """The `ScoreTable` of the finished run.

        Args:
            names: list of the scores to put into it; by default all.

        Raises:
            InputError: if the run ended before one of these scores was due.
        """
        if not self.epochs_due:
            raise InputError("There are no scores yet. Expected a finished run, by `model.fit`.")
        of_name = {score.name: score for score in self.scores}
        if unknown_names := [name for name in names or [] if name not in of_name]:
            raise unknown("score of this run", unknown_names[0], of_name)
        scores = [of_name[name] for name in (of_name if names is None else names)]
        complete = [score.name for score in self.scores if score.is_complete]
        for score in scores:
            if not score.is_complete:
                raise InputError(
                    f"`{score.name}` has no values. Expected a finished run that reaches "
                    f"{score.needed} of the epochs {self.epochs_due[score.name]} and shows every "
                    f"example as often. Received: one that reached {self.epochs_seen[score.name]}. "
                    f"Scores that have their values: {complete}; `table({complete})` gives them."
                )
        return ScoreTable(
            self.examples.ids,
            self.examples.labels,
            {score.name: score.result() for score in scores},
            metadata={
                "examples": self.examples.provenance,
                **({} if self.support is None else {"support": self.support.provenance}),
                "scores": {
                    score.name: {
                        "higher_is_harder": score.higher_is_harder,
                        "config": score.get_config(),
                        "epochs": self.epochs_seen[score.name],
                        "mode": self._mode(score),
                        "over_seeds": score.over_seeds,
                        **score.details(),
                    }
                    for score in scores
                },
            },
        )

    def _observe_outputs(self, model, scores):
        if not scores:
            return
        observers = {score.name: score.observe for score in scores}
        # Kept for the next epochs: tracing a graph anew would cost more than running it.
        if self._model is not model:
            self._model, self._output_passes = model, {}
        if tuple(observers) not in self._output_passes:
            self._output_passes[tuple(observers)] = OutputPass(
                as_logits(model),
                self.examples,
                observers,
                self.batch_size,
                needs_penultimate=any(score.needs_penultimate for score in scores),
            )
        observed = self._output_passes[tuple(observers)]()
        for score in scores:
            score.update(observed[score.name])

    def _take_recorded(self, scores):
        if self._store is None:
            return
        for rows, values in self._store.take():
            for score in scores:
                score.update(values[score.name], rows)

    def _observe_gradients(self, model, scores):
        if not scores:
            return
        epochs = sorted(self._checkpoints)

        def observer(score):
            positions = [epochs.index(epoch) for epoch in self.epochs_seen[score.name]]
            return lambda gradients: score.observe(ops.take(gradients, positions, axis=0))

        observed = observe_input_gradients(
            model,
            [self._checkpoints[epoch] for epoch in epochs],
            self.examples,
            {score.name: observer(score) for score in scores},
            self.batch_size,
        )
        for score in scores:
            score.update(observed[score.name])
        self._checkpoints = {}

    def _observe_embeddings(self, model, scores):
        if not scores:
            return
        wanted = self._wanted(model, scores)
        if any(each.source is None and each.layer == layers.OUTPUT for each in wanted):
            require_logits(model, self.examples)
        with layers.embeddings(
            model, self.examples, wanted, self.batch_size, support=self.support
        ) as embedded:
            for score in scores:
                score.update(score.observe(embedded.only(score.wanted(model))))
