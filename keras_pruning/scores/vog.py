"""VoG: how much the input gradient changes in the course of training."""

import warnings

import keras
import numpy as np
from keras import ops

from keras_pruning.arguments import require_positive_integer
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.scores.score import INPUT_GRADIENTS, Score

# Names of `keras.config.image_data_format`, with the axis of the channels of one example.
CHANNEL_AXES = {"channels_last": 2, "channels_first": 0}


def gradient_variance(gradients, image_data_format="channels_last"):
    """Returns the mean over pixels of the standard deviation over checkpoints.

    Args:
        gradients: floats `(checkpoints, batch, ...)`, the gradients of the true-class logit with
            respect to the input. Inputs of three axes are images. Their gradients are first
            averaged over channels, with their signs.
        image_data_format: `"channels_last"` for inputs of shape `(height, width, channels)`, or
            `"channels_first"`.

    Returns:
        Floats `(batch,)`, not yet normalized within classes. The standard deviation divides by the
        number of checkpoints.
    """
    if len(gradients.shape) == 5:
        # Images: average over channels, as the paper does
        gradients = ops.mean(gradients, axis=2 + CHANNEL_AXES[image_data_format])
    # The shift makes the standard deviation of equal gradients exactly 0.
    deviation = ops.std(gradients - gradients[:1], axis=0)
    return ops.mean(ops.reshape(deviation, (ops.shape(deviation)[0], -1)), axis=1)


def class_z_scores(values, labels):
    """Returns the values minus the mean of their class, divided by its standard deviation.

    Args:
        values: floats `(examples,)`.
        labels: integers `(examples,)`.

    Returns:
        Floats `(examples,)`, 0 for a class whose values do not vary beyond float32 rounding. The
        standard deviation is that of a population.
    """
    values = np.asarray(values, np.float64)
    members = np.bincount(labels)
    divisor = np.maximum(members, 1)  # a class may have no example
    mean = np.bincount(labels, values) / divisor
    centered = values - mean[labels]
    deviation = np.sqrt(np.bincount(labels, centered**2) / divisor)
    # Dividing by the rounding errors of a class without variation would make noise of it.
    varies = deviation > 1e-6 * np.abs(mean)
    return np.where(varies, 1 / np.where(varies, deviation, 1), 0)[labels] * centered


class VoG(Score):
    """Variance of gradients: how much an example's input gradient varies during training.

    Formula:
        S_k = ∂z_y/∂x at checkpoint k, averaged over channels
        V = mean over pixels of √(1/K · Σ_k (S_k − mean_k S)²)
        VoG = (V − mean of V in the class) / standard deviation of V in the class

    z_y is the logit of the true class, before the softmax. Tokens and strings have no gradient.
    For them x is the output of the first layer that turns them into floats, such as an embedding,
    and the mean is over all of its entries. For several inputs it is over all of theirs.

    Gradients are taken in eval mode. The weights of the checkpoints are kept, and the data is read
    once, at the end of training. The channels of examples with three axes are those of
    `keras.config.image_data_format()`, which the metadata of the table records.

    VoG is no detector of wrong labels: their logits can be flat, so that they rank as easy.

    Args:
        every: checkpoint interval in epochs. Defaults to the one that gives about ten checkpoints.

    Raises:
        InputError: if `every` is not a positive integer, or a run has fewer than two checkpoints.

    Example:
        >>> callback = ScoreCallback(examples, scores=[VoG(every=1)])

    Reference:
        Agarwal et al., Estimating Example Difficulty using Variance of Gradients, 2022, section 2
        (arXiv 2008.11600).
    """

    name = "vog"
    higher_is_harder = True
    signal = INPUT_GRADIENTS
    fewest_epochs = 2

    def __init__(self, every=None):
        self.every = require_positive_integer("every", every)

    def epochs_due(self, epochs):
        every = self.every or max(1, epochs // 10)
        due = list(range(every, epochs + 1, every))
        if len(due) < 2:
            raise InputError(
                "`vog` needs at least two checkpoints: a variance of one does not exist. "
                f"Expected every <= epochs / 2. Received: every={every}, epochs={epochs}"
            )
        return due

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self._image_data_format = keras.config.image_data_format()
        if isinstance(examples.spec, ArraySpec) and len(examples.shape) == 3:
            _warn_of_other_channels(examples.shape, self._image_data_format)

    def observe(self, signal):
        return gradient_variance(signal, self._image_data_format)

    def details(self):
        return {"image_data_format": self._image_data_format}

    def finished(self, values, labels):
        return class_z_scores(values, labels).astype("float32")


def _warn_of_other_channels(shape, image_data_format):
    """Warns if only the other end of the shape has as few channels as an image has."""
    (other,) = set(CHANNEL_AXES) - {image_data_format}
    if shape[CHANNEL_AXES[image_data_format]] > 4 >= shape[CHANNEL_AXES[other]]:
        warnings.warn(
            f"`vog` averages gradients over channels. Expected examples with {image_data_format}, "
            f"as keras.config.image_data_format() says. Received: examples of shape {shape}, which "
            f"look like {other}. If they are, call keras.config.set_image_data_format({other!r}).",
            stacklevel=2,
        )
