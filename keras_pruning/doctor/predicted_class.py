"""What the model says an example is, taken early, before it has learned wrong labels by heart."""

from keras import ops

from keras_pruning.scores.el2n import EL2N


class PredictedClass(EL2N):
    """The class of the largest logit, at the epoch that EL2N looks at.

    Not a score of how hard an example is, but taken like one: by row, in the pass that EL2N makes.

    Args:
        epoch: epoch to look at the end of, counted from 1; by default a tenth of the run.
    """

    name = "predicted_class"

    def observe(self, signal):
        return ops.cast(ops.argmax(signal.logits, axis=-1), "float32")
