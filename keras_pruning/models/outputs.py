"""The outputs of a model for a batch, and values that follow from them."""

from functools import cached_property

from keras import ops


class Outputs:
    """The outputs of a model for a batch, and values that follow from logits and labels.

    Args:
        logits: float tensor `(batch, classes)`.
        labels: integer tensor `(batch,)`.
    """

    def __init__(self, logits, labels):
        self.logits = ops.cast(logits, "float32")
        self.labels = labels

    @cached_property
    def probabilities(self):
        """Softmax of the logits, float32 `(batch, classes)`."""
        return ops.softmax(self.logits)

    @cached_property
    def log_probabilities(self):
        """Logarithm of the softmax, `(batch, classes)`, finite even if a probability is 0."""
        return ops.log_softmax(self.logits)

    @cached_property
    def label_probability(self):
        """Probability of the label, `(batch,)`."""
        return self.at_label(self.probabilities)

    @cached_property
    def correct(self):
        """1.0 if the largest logit is the one of the label, otherwise 0.0, `(batch,)`."""
        predicted = ops.cast(ops.argmax(self.logits, axis=-1), self.labels.dtype)
        return ops.cast(ops.equal(predicted, self.labels), "float32")

    @cached_property
    def cross_entropy(self):
        """Cross-entropy with the label, in nats, `(batch,)`."""
        return -self.at_label(self.log_probabilities)

    def at_label(self, values):
        """Returns the entry of each label, `(batch,)`, from finite values `(batch, classes)`."""
        one_hot = ops.one_hot(self.labels, values.shape[-1], dtype=values.dtype)
        return ops.sum(values * one_hot, axis=-1)


class EvalOutputs(Outputs):
    """The outputs of a model in eval mode, with the input of its last layer and gradient norms.

    Args:
        logits: float tensor `(batch, classes)`.
        labels: integer tensor `(batch,)`.
        penultimate: float tensor `(batch, features)`, the input of the last layer. A column of
            ones is appended to it if that layer has a bias. `None` if no score asks for it.
        gradient_norms: function of no arguments to `(batch,)`, called only if a score asks.
    """

    def __init__(self, logits, labels, penultimate, gradient_norms):
        super().__init__(logits, labels)
        self._penultimate, self._gradient_norms = penultimate, gradient_norms

    @property
    def penultimate(self):
        """The values that the last layer multiplies its weights with, `(batch, features)`."""
        return ops.cast(self._penultimate, "float32")

    @cached_property
    def gradient_norms(self):
        """The norm of each example's own loss gradient over all trainable weights, `(batch,)`."""
        return self._gradient_norms()
