"""Random changes to training inputs; scores never see them."""

import tensorflow as tf

from keras_pruning.errors import unknown


def flip_crop(x, seed, padding=4):
    """Mirrors half of the images and shifts each by up to `padding` pixels, zeros moving in.

    Args:
        x: float tensor `(batch, height, width, channels)`.
        seed: integer tensor `(2,)`; the same seed gives the same result.
        padding: pixels of zeros put around each image before a window of the old size is cut.

    Returns:
        A tensor of the shape of `x`.

    Reference:
        He et al., Deep Residual Learning for Image Recognition, section 4.2 (arXiv 1512.03385).
    """
    batch, height, width = tf.shape(x)[0], tf.shape(x)[1], tf.shape(x)[2]
    flip_seed, shift_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    mirrored = tf.random.stateless_uniform((batch, 1, 1, 1), flip_seed) < 0.5
    flipped = tf.where(mirrored, tf.reverse(x, [2]), x)
    shift = tf.random.stateless_uniform((batch, 2), shift_seed, 0, 2 * padding + 1, tf.int32)
    padded = tf.pad(flipped, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    rows = shift[:, :1] + tf.range(height)
    columns = shift[:, 1:] + tf.range(width)
    window = tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
    return tf.ensure_shape(window, x.shape)


AUGMENTATIONS = {"flip_crop": flip_crop}


def get(name):
    """The augmentation called `name`; `None` stays `None`.

    Raises:
        InputError: if there is no such augmentation.
    """
    if name is None:
        return None
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]
