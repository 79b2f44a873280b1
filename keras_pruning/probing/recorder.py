"""From a model at several moments to a score table: the steps that all drivers share."""

import json
import zlib
from dataclasses import asdict

import numpy as np
from keras import ops

from keras_pruning.arguments import require_examples, require_positive_integer
from keras_pruning.errors import InputError
from keras_pruning.models.heads import as_logits
from keras_pruning.probing.collectors import collectors_of
from keras_pruning.probing.given_scores import score_instances
from keras_pruning.probing.progress import Progress
from keras_pruning.probing.run_table import run_table


class ScoreRecorder:
    """Feeds scores with the signals of a model, by one collector for each signal.

    A driver calls `start`, then `epoch_begin` and `epoch_end` for each epoch, then `finish`, and
    reads `table`. Everything that is due at one moment shares one pass.

    Args:
        examples: `Examples` to score.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes come from. Defaults to the scored ones.
        output: name of the output to score, if the model has several.

    Attributes:
        collectors: dictionary from the names of signals to their collectors.

    Raises:
        InputError: if a score is unknown or given twice, or the support has another shape.
    """

    def __init__(self, examples, scores, batch_size=256, support=None, output=None):
        require_examples(examples)
        batch_size = require_positive_integer("batch_size", batch_size)
        self.examples, self.output = examples, output
        self.support = _other_examples(support, examples)
        self.scores = score_instances(scores)
        for score in self.scores:
            require_classes(score, examples.num_classes)
        self.collectors = collectors_of(self.scores, examples, batch_size, self.support)
        self._stores, self.progress = [], None

    def record_training(self, model, passes):
        """Prepares to take the scores of train mode from the outputs of the training step.

        Args:
            model: Keras model of one output.
            passes: how often an example may come between two ends of an epoch.

        Returns:
            The store for the training step to write to, or `None` if no score takes train mode.

        Raises:
            InputError: if the model does not give logits or has several outputs.
        """
        logits = as_logits(model, None, self.examples.spec)
        for collector in self.collectors.values():
            store = collector.record_training(logits, passes)
            if store is not None:
                self._stores.append(store)
                return store
        return None

    def start(self, epochs, model=None, store=None):
        """Checks and begins a run of `epochs` epochs, and forgets an earlier one.

        Args:
            epochs: length of the run.
            model: the model that will be scored, if it is known already.
            store: the store of `record_training` that the training step writes to, if it does.

        Raises:
            InputError: as `check` does.
        """
        self.check(epochs, model, store)
        self.begin(epochs, model, store)

    def check(self, epochs, model=None, store=None):
        """Checks before training that a run can be scored.

        Args:
            epochs, model, store: as in `start`.

        Raises:
            InputError: if the run is too short for a score, the model does not fit the examples or
                cannot give a signal, or the store is another recorder's.
        """
        if store is not None and store not in self._stores:
            raise InputError(
                "The model records for other scores. Expected the model that `recording` of this "
                "very callback made."
            )
        # Check the length of the run, then what the model can give
        for score in self.scores:
            score.epochs_due(epochs)
        logits = self.logits_of(model)
        for collector in self.collectors.values():
            collector.check(logits)

    def begin(self, epochs, model=None, store=None, first=0):
        """Begins a run that was checked, and forgets an earlier one.

        Args:
            epochs, model, store: as in `start`.
            first: number of epochs that the run had before.
        """
        due = {score.name: score.epochs_due(epochs) for score in self.scores}
        self.progress = Progress(epochs, due, first)
        self.is_finished, self._recorded = False, store is not None
        self._model = self._logits = self._shapes = self._weights = None
        logits = self.logits_of(model)
        # Let every collector and every score forget the earlier run
        for collector in self.collectors.values():
            collector.prepare(logits, store)
        for score in self.scores:
            support = {"support": self.support} if score.needs_support else {}
            score.reset(self.examples, due[score.name], **support)

    def obstacle(self, epochs, model, store, first):
        """Returns the reason why another `fit` cannot go on with the run so far, or `None`.

        Args:
            epochs, model, store: as in `start`, of the other `fit`.
            first: number of epochs that the run had before it.
        """
        if self.progress is None:
            return "there is no earlier run"
        if self.progress.epochs != epochs:
            return f"its length is {epochs} epochs, and {self.progress.epochs} before"
        if not 0 < first == self.progress.reached < epochs:
            return (
                f"it begins after epoch {first} of {epochs}, and {self.progress.reached} are scored"
            )
        # Outputs of two modes, or weights of two architectures, do not belong in one score.
        if self._recorded != (store is not None):
            return "only one of the two fits records its training step"
        if self._shapes not in (None, [weight.shape for weight in model.weights]):
            return "its model has weights of other shapes"
        return None

    def carry_on(self, store):
        """Goes on with the run so far in another `fit`."""
        self._model = self._logits = None
        for collector in self.collectors.values():
            collector.carry_on(store)

    def epoch_begin(self, learning_rate):
        """Notes the learning rate of an epoch that begins."""
        self.progress.note_rate(learning_rate)

    def epoch_end(self, epoch, model):
        """Observes the signals that are due at the end of `epoch`, counted from 1."""
        # The same logits model for all epochs, so that its passes are traced once
        if self._model is not model:
            self._model, self._logits = model, self.logits_of(model)
            self._shapes = [weight.shape for weight in model.weights]
        for collector in self.collectors.values():
            due = [score for score in collector.scores if self.progress.is_due(score, epoch)]
            collector.observe(self._logits, due)
            for score in due:
                self.progress.seen[score.name].append(epoch)
        if any(score.needs_model and self.sees_trained_model(score) for score in self.scores):
            self._weights = _checksum(model)
        self.progress.reached, self.is_finished = epoch, False

    def finish(self, model):
        """Observes the signals that need the trained model or the weights of several moments.

        A run that was stopped early is scored as far as it got. It may be carried on and finished
        again.
        """
        # The graphs of the passes are not needed any more.
        self._model = self._logits = None
        logits = self.logits_of(model)
        if self._weights is not None:
            self.progress.weights_changed = self._weights != _checksum(model)
        for score in self.scores:
            # These scores are of the model as it is now, whatever epoch they were due at.
            if score.needs_model and self.sees_trained_model(score):
                self.progress.seen[score.name] = [self.progress.reached]
        for collector in self.collectors.values():
            collector.finish(logits)
            if self.progress.is_over:
                collector.release()
        self.is_finished = True
        self._scored = None if model is None else _checksum(model)

    def logits_of(self, model):
        """Returns the model of the logits that are scored, `None` if there is no model."""
        return model and as_logits(model, self.output, self.examples.spec)

    def is_of(self, model):
        """Returns whether the run is finished and its scores are of the weights of `model`."""
        return self.is_finished and (model is None or self._scored == _checksum(model))

    def identity(self, epochs, store=None):
        """Returns a dictionary that identifies runs whose states can replace one another.

        Args:
            epochs, store: as in `start`.
        """
        scores = {score.name: score.get_config() for score in self.scores}
        support = self.support and self.support.fingerprint
        return {
            "examples": self.examples.fingerprint,
            "support": support,
            "scores": scores,
            "epochs": epochs,
            "recording": store is not None,
        }

    def state(self):
        """Returns a dictionary of arrays from which `restore` continues an unfinished run."""
        state = {
            prefix + name: values
            for prefix, part in self._parts.items()
            for name, values in part.state().items()
        }
        return state | {"progress": np.array(json.dumps(asdict(self.progress)))}

    def restore(self, state):
        """Continues an unfinished run after `begin`, from the result of `state`."""
        self.progress = Progress(**json.loads(str(state["progress"])))
        for prefix, part in self._parts.items():
            names = [name.removeprefix(prefix) for name in state if name.startswith(prefix)]
            part.restore({name: state[prefix + name] for name in names})

    @property
    def _parts(self):
        """The scores and collectors, which have a state, by the prefix of its names."""
        scores = {f"score/{score.name}/": score for score in self.scores}
        return scores | {f"signal/{name}/": part for name, part in self.collectors.items()}

    def table(self, names=None, partial=False):
        """Returns the `ScoreTable` of the finished run.

        Args:
            names: list of the scores to put into it. Defaults to all.
            partial: whether to allow scores of several epochs that have seen only some of them.

        Raises:
            InputError: if the run ended before one of these scores was due, or if one of them has
                seen only a part of its epochs and `partial` is false.
        """
        if self.progress is None:
            raise InputError("There are no scores yet. Expected a finished run, by `model.fit`.")
        return run_table(self, names, partial)

    def sees_trained_model(self, score):
        """Returns whether a score is of the model that `fit` leaves, not of ends of epochs."""
        return self.collectors[score.signal].sees_trained_model

    def mode(self, score):
        """Returns the mode of the outputs that a score got, `"eval"` or `"train"`."""
        return self.collectors[score.signal].mode(score)


def _checksum(model):
    """Returns a number that changes with the weights of a model."""
    checksum = 0
    # Not a copy, which would take the memory of another model
    for weight in model.weights:
        checksum = zlib.crc32(ops.convert_to_numpy(weight).tobytes(), checksum)
    return checksum


def require_classes(score, num_classes):
    """Raises an `InputError` if a score needs more classes than there are."""
    if num_classes < score.fewest_classes:
        raise InputError(
            f"`{score.name}` compares classes. Expected examples of at least "
            f"{score.fewest_classes} classes. Received: {num_classes}"
        )


def _other_examples(support, examples):
    """Returns the support, or `None` if it is the scored examples.

    Raises:
        InputError: if it does not fit the scored examples.
    """
    if support is None:
        return None
    require_examples(support, "support")
    if support is examples or support.fingerprint == examples.fingerprint:
        return None
    if (support.shape, support.num_classes) != (examples.shape, examples.num_classes):
        raise InputError(
            f"Invalid `support`. Expected examples of shape {examples.shape} and "
            f"{examples.num_classes} classes. Received: {support.shape} and {support.num_classes}"
        )
    return support
