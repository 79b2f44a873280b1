"""The base class of the collectors."""

import numpy as np
from keras import ops

from keras_pruning.backend.tensorflow.requirements import require_logits
from keras_pruning.errors import InputError
from keras_pruning.models.loading import require_fit
from keras_pruning.probing.collectors.passes import Passes
from keras_pruning.scores.score import EVAL


class Collector:
    """Base class of the collectors: one for each signal, which feeds all scores that observe it.

    The recorder calls `check` and `prepare` before training, `observe` at the end of every epoch
    and `finish` at the end of training. A subclass overrides the moments at which its signal is
    there. It makes one pass over the data for all scores that are due at one moment.

    Class attributes:
        sees_trained_model: whether the signal is one of the model that `fit` leaves, not of the
            models at the ends of epochs.

    Args:
        scores: list of the `Score` instances that observe the signal.
        examples: `Examples` to score.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes come from, or `None` for the scored ones.

    Attributes:
        passes: `Passes` that the collector has made since it exists, in all runs.
    """

    sees_trained_model = False

    def __init__(self, scores, examples, batch_size, support=None):
        self.scores, self.examples = scores, examples
        self.batch_size, self.support = batch_size, support
        self.passes = Passes()

    def record_training(self, model, passes):
        """Returns a store for the training step to write to, or `None` if no score needs one.

        Args:
            model: Keras model that ends in logits.
            passes: how often an example may come between two ends of an epoch.
        """
        return None

    def check(self, model):
        """Checks before training that a model can give the signal.

        Args:
            model: Keras model that ends in logits, or `None` if none is known yet.

        Raises:
            InputError: if the model cannot give the signal.
        """

    def prepare(self, model, store):
        """Begins a run and forgets an earlier one.

        Args:
            model: Keras model that ends in logits, or `None` if none is known yet.
            store: a store of `record_training` that the training step writes to, or `None`.
        """

    def carry_on(self, store):
        """Continues a run in another `fit`.

        Args:
            store: as in `prepare`.
        """

    def mode(self, score):
        """Returns the mode of the outputs that a score gets in this run, `"eval"` or `"train"`."""
        return EVAL

    def observe(self, model, scores):
        """Observes the signal at the end of an epoch.

        Args:
            model: Keras model that ends in logits.
            scores: list of those of the scores that are due. It may be empty.
        """

    def state(self):
        """Returns a dictionary of arrays from which `restore` continues an unfinished run."""
        return {}

    def restore(self, state):
        """Continues a run after `prepare`, from the result of `state`."""

    def finish(self, model):
        """Observes the signal at the end of training, for scores that look at the whole run.

        A run that is continued afterwards is finished again.

        Args:
            model: Keras model that ends in logits, or `None` if no score needs one.
        """

    def release(self):
        """Frees what a run that has reached its last epoch does not need any more."""


def require_outputs(model, examples):
    """Raises an `InputError` unless a model gives finite logits for a few of the examples."""
    require_fit(model, examples.spec, examples.num_classes, labels=examples.labels)
    require_logits(model, examples)
    x, _ = next(iter(examples.batches(32)))
    if not np.isfinite(ops.convert_to_numpy(model(x, training=False))).all():
        raise InputError(
            "The outputs of the model are not finite. Expected finite numbers for all examples. "
            "Received: NaN or infinity for the first examples, before training. Look for weights "
            "that are not finite, or for extreme input values."
        )
