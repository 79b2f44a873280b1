"""Loss: the cross-entropy at the end of an epoch."""

from keras_pruning.scores.score import OneEpochScore


class Loss(OneEpochScore):
    """Loss: the cross-entropy of the prediction with the label.

    Formula:
        loss = −log p_y

    The loss is in nats. It is taken in eval mode at the end of one epoch, without weight decay.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[Loss(epoch=2)])

    Reference:
        Loshchilov and Hutter, Online Batch Selection for Faster Training of Neural Networks, 2015
        (arXiv 1511.06343), who rank training examples by it.
    """

    name = "loss"
    higher_is_harder = True
    sees_wrong_labels = True

    def observe(self, signal):
        return signal.cross_entropy
