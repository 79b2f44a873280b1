"""Small networks that end in logits, and their registry `MODELS`."""

import keras
from keras import layers

from keras_pruning.errors import InputError


def mlp(input_shape, num_classes, width=128):
    """Builds two hidden layers of `width` units, for inputs of any shape.

    Args:
        input_shape: shape of one example.
        num_classes: number of logits.
        width: number of units of each hidden layer.

    Returns:
        A `keras.Model`.
    """
    inputs = keras.Input(input_shape)
    x = layers.Flatten(name="flatten")(inputs)
    x = layers.Dense(width, activation="relu", name="hidden1")(x)
    x = layers.Dense(width, activation="relu", name="hidden2")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="mlp")


def cnn(input_shape, num_classes, width=32):
    """Builds three convolutions of stride 2 with `width`, 2 · `width` and 4 · `width` filters.

    Args:
        input_shape: `(height, width, channels)`, 8 × 8 to 32 × 32 pixels.
        num_classes: number of logits.
        width: number of filters of the first convolution.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if the inputs are no images.
    """
    inputs = keras.Input(_image_shape(input_shape))
    x = inputs
    for number, filters in enumerate((width, 2 * width, 4 * width), start=1):
        x = _convolution(x, filters, 3, 2, f"conv{number}")
        x = _normalization(x, f"conv{number}_norm")
        x = layers.ReLU(name=f"conv{number}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="cnn")


def plain_cnn(input_shape, num_classes, width=32):
    """Builds the convolutions of `cnn` without normalization, and without pooling at the end.

    It memorises single examples sooner than `cnn`.

    Args:
        input_shape: `(height, width, channels)`, 8 × 8 to 32 × 32 pixels.
        num_classes: number of logits.
        width: number of filters of the first convolution.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if the inputs are no images.
    """
    inputs = keras.Input(_image_shape(input_shape))
    x = inputs
    for number, filters in enumerate((width, 2 * width, 4 * width), start=1):
        x = layers.Conv2D(
            filters, 3, strides=2, padding="same", activation="relu", name=f"conv{number}"
        )(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="plain_cnn")


def resnet18(input_shape, num_classes, width=64):
    """Builds ResNet-18 as it is used on CIFAR: a 3 × 3 stem of stride 1 without pooling after it.

    Prediction depth uses the layers `stem` (after its normalization, before ReLU) and `block1` …
    `block8` (after the skip addition, before ReLU).

    Args:
        input_shape: `(height, width, channels)`.
        num_classes: number of logits.
        width: number of filters of the stem and the first stage. Later stages double it.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if the inputs are no images.

    Reference:
        He et al., Deep Residual Learning for Image Recognition (arXiv 1512.03385), with the stem
        of Baldock et al. 2021, appendix A.
    """
    inputs = keras.Input(_image_shape(input_shape))
    x = _normalization(_convolution(inputs, width, 3, 1, "stem_conv"), "stem")
    x = layers.ReLU(name="stem_relu")(x)
    # Four stages of two blocks. The first block of the stages 2 to 4 halves height and width.
    for block in range(8):
        stage, second = divmod(block, 2)
        stride = 2 if stage and not second else 1
        x = _residual_block(x, width * 2**stage, stride, f"block{block + 1}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="resnet18")


def _residual_block(x, filters, stride, name):
    # Project the shortcut if the block changes the shape.
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, 1, stride, f"{name}_shortcut")
        shortcut = _normalization(shortcut, f"{name}_shortcut_norm")
    x = _normalization(_convolution(x, filters, 3, stride, f"{name}_conv1"), f"{name}_norm1")
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = _normalization(_convolution(x, filters, 3, 1, f"{name}_conv2"), f"{name}_norm2")
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=name)([x, shortcut]))


def _convolution(x, filters, kernel_size, stride, name):
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _normalization(x, name):
    # Keras' default momentum of 0.99 adapts too slowly for the short runs of probes.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _image_shape(input_shape):
    if len(input_shape) != 3:
        raise InputError(
            "This model takes images. Expected examples of shape (height, width, channels). "
            f"Received: {tuple(input_shape)}. Use the model `mlp`, which takes any shape."
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            "This model takes images of shape (height, width, channels). Expected "
            "image_data_format channels_last in keras.json or keras.config. Received: "
            f"{keras.config.image_data_format()}. Use a model of your own for the other format."
        )
    return tuple(input_shape)


MODELS = {"mlp": mlp, "cnn": cnn, "plain_cnn": plain_cnn, "resnet18": resnet18}
