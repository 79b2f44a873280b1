"""The base class of the collectors."""

from keras_pruning.scores.score import EVAL


class Collector:
    """Base class of the collectors: one for each signal, which feeds all scores that observe it.

    The recorder calls `prepare` before training, `observe` at the end of every epoch and `finish`
    at the end of training. A subclass overrides the moments at which its signal is there. It makes
    one pass over the data for all scores that are due at one moment.

    Args:
        scores: list of the `Score` instances that observe the signal.
        examples: `Examples` to score.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes come from, or `None` for the scored ones.
    """

    def __init__(self, scores, examples, batch_size, support=None):
        self.scores, self.examples = scores, examples
        self.batch_size, self.support = batch_size, support

    def record_training(self, model, passes):
        """Returns a store for the training step to write to, or `None` if no score needs one.

        Args:
            model: Keras model that ends in logits.
            passes: how often an example may come between two ends of an epoch.
        """
        return None

    def prepare(self, model, store):
        """Begins a run and forgets an earlier one.

        Args:
            model: Keras model that ends in logits, or `None` if none is known yet.
            store: a store of `record_training` that the training step writes to, or `None`.

        Raises:
            InputError: if the model cannot give the signal.
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

    def finish(self, model):
        """Observes the signal at the end of training, for scores that look at the whole run.

        Args:
            model: Keras model that ends in logits, or `None` if no score needs one.
        """
