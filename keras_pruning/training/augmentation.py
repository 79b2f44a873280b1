"""Random changes to training inputs, which scores never see."""

import keras
import tensorflow as tf

from keras_pruning.errors import unknown


def flip_crop(x, seed, padding=4):
    """Mirrors half of the images and shifts each by up to `padding` pixels, filling with zeros.

    Args:
        x: float tensor `(batch, height, width, channels)`, or `(batch, channels, height, width)` if
            `keras.config.image_data_format()` is `"channels_first"`.
        seed: integer tensor `(2,)`. The same seed gives the same result.
        padding: number of zeros around each image before a window of the same size is cut out.

    Returns:
        A tensor of the same shape as `x`.

    Reference:
        He et al., Deep Residual Learning for Image Recognition, section 4.2 (arXiv 1512.03385).
    """
    if keras.config.image_data_format() == "channels_first":
        return tf.transpose(_flip_crop(tf.transpose(x, (0, 2, 3, 1)), seed, padding), (0, 3, 1, 2))
    return _flip_crop(x, seed, padding)


def _flip_crop(x, seed, padding):
    batch, height, width = tf.shape(x)[0], tf.shape(x)[1], tf.shape(x)[2]
    flip_seed, shift_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    # Mirror each image with a probability of one half.
    mirrored = tf.random.stateless_uniform((batch, 1, 1, 1), flip_seed) < 0.5
    flipped = tf.where(mirrored, tf.reverse(x, [2]), x)
    # Cut a window out of each padded image, at a random position.
    shift = tf.random.stateless_uniform((batch, 2), shift_seed, 0, 2 * padding + 1, tf.int32)
    padded = tf.pad(flipped, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    rows = shift[:, :1] + tf.range(height)
    columns = shift[:, 1:] + tf.range(width)
    window = tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
    return tf.ensure_shape(window, x.shape)


AUGMENTATIONS = {"flip_crop": flip_crop}


def get(name):
    """Returns the augmentation called `name`, or `None` if `name` is `None`.

    Raises:
        InputError: if `AUGMENTATIONS` has no such name.
    """
    if name is None:
        return None
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]
