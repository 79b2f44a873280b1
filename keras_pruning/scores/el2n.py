"""EL2N: the norm of the error early in training."""

from keras import ops

from keras_pruning.scores.score import OneEpochScore


def error_l2_norm(probabilities, labels):
    """Returns ‖p − e_y‖₂ of each example.

    Args:
        probabilities: floats `(batch, classes)`.
        labels: integers `(batch,)`.

    Returns:
        Floats `(batch,)` in [0, √2].
    """
    one_hot = ops.one_hot(labels, probabilities.shape[-1], dtype=probabilities.dtype)
    return ops.norm(probabilities - one_hot, axis=-1)


class EL2N(OneEpochScore):
    """Error L2-norm: how far the prediction is from the label early in training.

    Formula:
        EL2N = ‖softmax(z) − e_y‖₂

    The norm is neither squared nor divided by the number of classes. It is taken in eval mode at
    the end of one epoch. 0 means right and certain, √2 wrong and certain. Over several probes the
    norms are averaged.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to a tenth of the
            run.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[EL2N(epoch=2)])

    Reference:
        Paul et al., Deep Learning on a Data Diet, 2021, section 2.2 (arXiv 2107.07075).
    """

    name = "el2n"
    higher_is_harder = True
    sees_wrong_labels = True
    default_fraction = 0.1

    def observe(self, signal):
        return error_l2_norm(signal.probabilities, signal.labels)
