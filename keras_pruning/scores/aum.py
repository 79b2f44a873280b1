"""AUM: the margin of the label's logit, averaged over training."""

from keras import ops

from keras_pruning.scores.score import EveryEpochScore


def label_margin(logits, labels):
    """Returns z_y − max_{i≠y} z_i of each example.

    Args:
        logits: floats `(batch, classes)`, of at least two classes.
        labels: integers `(batch,)`.

    Returns:
        Floats `(batch,)`.
    """
    is_label = ops.one_hot(labels, logits.shape[-1], dtype="bool")
    label = ops.sum(ops.where(is_label, logits, 0.0), axis=-1)
    return label - ops.max(ops.where(is_label, -float("inf"), logits), axis=-1)


class AUM(EveryEpochScore):
    """Area under the margin: how far the label's logit stays above the others. Low is hard.

    Formula:
        AUM = 1/T · Σ_t (z_y − max_{i≠y} z_i)

    The logits are those that the training step itself computed, in train mode. Epochs after the
    first drop of the learning rate are left out. The rate has dropped if an epoch begins with half
    of the highest learning rate or less.

    Args:
        epochs: how many of the first epochs to look at, whatever the learning rate. Defaults to
            those before its first drop.

    Raises:
        InputError: if `epochs` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[AUM(epochs=5)])

    Reference:
        Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, 2020,
        section 3 (arXiv 2001.10528).
    """

    name = "aum"
    higher_is_harder = False
    needs_logits = True
    sees_wrong_labels = True
    fewest_classes = 2

    @property
    def before_learning_rate_drop(self):
        """Whether epochs after a drop of the learning rate are left out."""
        return self.epochs is None

    def observe(self, signal):
        return label_margin(signal.logits, signal.labels)
