"""The class that the model predicts early, before it has memorised wrong labels."""

from keras import ops

from keras_pruning.scores.el2n import EL2N
from keras_pruning.scores.score import OneEpochScore


class PredictedClass(OneEpochScore):
    """The class of the largest logit, at the epoch that EL2N looks at.

    It does not say how hard an example is, but is recorded like a score: by row, in the pass that
    EL2N makes.

    Args:
        epoch: epoch to look at the end of, counted from 1. Defaults to the epoch of EL2N.

    Raises:
        InputError: if `epoch` is not a positive integer.
    """

    name = "predicted_class"
    default_fraction = EL2N.default_fraction

    def observe(self, signal):
        return ops.cast(ops.argmax(signal.logits, axis=-1), "float32")
