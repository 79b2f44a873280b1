"""GraNd: the norm of the loss gradient early in training."""

from keras import ops

from keras_pruning.arguments import require_one_of
from keras_pruning.scores.el2n import error_l2_norm
from keras_pruning.scores.score import OneEpochScore


def last_layer_gradient_norm(probabilities, labels, penultimate):
    """Returns ‖∇_W CE‖₂ of each example over the weights W of a dense last layer.

    The gradient is the outer product of `penultimate` and `p − e_y`, so its norm has a closed form.

    Args:
        probabilities: floats `(batch, classes)`.
        labels: integers `(batch,)`.
        penultimate: floats `(batch, features)` that W is multiplied with. For a layer with a bias
            they include a column of ones.

    Returns:
        Floats `(batch,)`.
    """
    return error_l2_norm(probabilities, labels) * ops.norm(penultimate, axis=-1)


class GraNd(OneEpochScore):
    """Gradient norm: how much an example would move the weights early in training.

    Formula:
        GraNd = ‖∇_w CE(x, y)‖₂
        over the last layer, of input h, with bias: GraNd = EL2N · √(1 + ‖h‖²)

    Each example has a gradient of its own, never that of a batch mean. It is taken over all
    trainable weights, in eval mode and without weight decay. Dense, convolution, embedding and
    normalization layers of Keras have closed forms of its norm, which cost about one epoch of
    training. A model with weights of other layers takes one gradient at a time, which costs several
    epochs. The closed form of the last layer alone costs nothing.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to a tenth of the
            run.
        weights: `"all"`, or `"last_layer"` for a model that ends in a dense layer of Keras. The
            closed form does not hold for a subclass of `Dense` with its own `call`.

    Raises:
        InputError: if an argument is invalid. When a run begins, if `weights="last_layer"` and the
            model does not show a dense layer at its end.

    Example:
        >>> callback = ScoreCallback(examples, scores=[GraNd(weights="last_layer")])

    Reference:
        Paul et al., Deep Learning on a Data Diet, 2021, section 2.2 (arXiv 2107.07075).
    """

    name = "grand"
    higher_is_harder = True
    sees_wrong_labels = True
    default_fraction = 0.1
    needs_gradients = True

    def __init__(self, epoch=None, weights="all"):
        super().__init__(epoch)
        require_one_of("weights", weights, ("all", "last_layer"))
        self.weights = weights

    @property
    def needs_penultimate(self):
        """Whether the input of the last layer is observed."""
        return self.weights == "last_layer"

    def observe(self, signal):
        # Computed only if asked for, because it takes one backward pass for each example.
        if self.weights == "all":
            return signal.gradient_norms
        return last_layer_gradient_norm(signal.probabilities, signal.labels, signal.penultimate)
