"""The gradients by the weights of one layer, from its inputs and the gradient by its output.

Each rule is a function of a `Call` and of the gradient of the loss by its output, before the
activation. It yields tuples of a weight and its gradients, one of the classes of `parts.py`.
"""

import keras
import tensorflow as tf
from keras import layers

from keras_pruning.backend.tensorflow.weight_gradients.calls import NoClosedForm
from keras_pruning.backend.tensorflow.weight_gradients.parts import Products, Rows, Values
from keras_pruning.backend.tensorflow.weight_gradients.patches import shifted_inputs
from keras_pruning.models.heads import Preactivation


def dense(call, gradient, layer=None):
    """Yields the gradients of a dense layer, over the last axis of its inputs."""
    layer = layer or call.layer
    left, right = (x[..., tf.newaxis, :] for x in (call.inputs, gradient))
    yield layer.kernel, Products(left, right, call.examples)
    yield from _of_bias(call, gradient, layer.bias)


def preactivation(call, gradient):
    """Yields the gradients of a dense layer of which only the product is computed."""
    return dense(call, gradient, call.layer.dense)


def einsum_dense(call, gradient):
    """Yields the gradients of a product by the equation of the layer."""
    layer = call.layer
    equation = layer.equation.replace(" ", "")
    of_inputs, of_kernel, of_outputs = equation.replace("->", ",").split(",")
    if "..." in equation:
        free = [letter for letter in "ABCDEFGHIJKL" if letter not in equation]
        missing = free[: call.inputs.shape.rank - len(of_inputs.replace("...", ""))]
        of_inputs, of_outputs = (
            x.replace("...", "".join(missing)) for x in (of_inputs, of_outputs)
        )
    axes = (of_inputs, of_kernel, of_outputs)
    is_usual = all(len(set(letters)) == len(letters) for letters in axes)
    batch = of_inputs[0]
    if not is_usual or batch != of_outputs[0] or not set(of_kernel) <= set(of_inputs + of_outputs):
        raise NoClosedForm
    # Sort the axes of each example into those of the four kinds.
    positions = [x for x in of_outputs[1:] if x in of_inputs and x not in of_kernel]
    groups = [x for x in of_kernel if x in of_inputs and x in of_outputs]
    contracted = [x for x in of_kernel if x in of_inputs and x not in of_outputs]
    made = [x for x in of_kernel if x not in of_inputs]
    # Axes of the inputs alone are summed.
    left = tf.einsum(f"{of_inputs}->{batch}{''.join(positions + groups + contracted)}", call.inputs)
    right = tf.einsum(f"{of_outputs}->{batch}{''.join(positions + groups + made)}", gradient)
    left, right = (_in_four(x, len(positions), len(groups)) for x in (left, right))
    yield layer.kernel, Products(left, right, call.examples)
    yield from _of_bias(call, gradient, layer.bias)


def convolution(call, gradient):
    """Yields the gradients of a convolution, with or without groups of channels."""
    layer = call.layer
    gradient = _channels_last(layer, gradient)
    shifted = _shifted(layer, _channels_last(layer, call.inputs), gradient)
    groups = layer.groups
    # The entries of the kernel and the channels of a group are the inputs of a matrix.
    split = [tf.reshape(x, (*_shape(x)[:-1], groups, x.shape[-1] // groups)) for x in shifted]
    left = split[0] if len(split) == 1 else tf.concat(split, axis=-1)
    right = tf.reshape(gradient, (*_shape(gradient)[:-1], groups, layer.filters // groups))
    yield layer.kernel, Products(left, right, call.examples)
    yield from _of_bias(call, gradient, layer.bias)


def depthwise_convolution(call, gradient):
    """Yields the gradients of a convolution of each channel by itself."""
    layer = call.layer
    gradient = _channels_last(layer, gradient)
    inputs = _channels_last(layer, call.inputs)
    yield layer.kernel, _depthwise(layer, inputs, gradient, call.examples)
    yield from _of_bias(call, gradient, layer.bias)


def separable_convolution(call, gradient):
    """Yields the gradients of a depthwise convolution and of the product after it."""
    layer = call.layer
    between = keras.ops.depthwise_conv(
        call.inputs,
        tf.cast(layer.depthwise_kernel.value, call.inputs.dtype),
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )
    inputs, between, gradient = (_channels_last(layer, x) for x in (call.inputs, between, gradient))
    left, right = (x[..., tf.newaxis, :] for x in (between, gradient))
    yield layer.pointwise_kernel, Products(left, right, call.examples)
    pointwise = tf.reshape(layer.pointwise_kernel.value, (-1, layer.filters))
    by_between = keras.ops.matmul(gradient, tf.cast(tf.transpose(pointwise), gradient.dtype))
    yield layer.depthwise_kernel, _depthwise(layer, inputs, by_between, call.examples)
    yield from _of_bias(call, gradient, layer.bias)


def embedding(call, gradient):
    """Yields the gradients of a table of vectors."""
    numbers = tf.cast(call.inputs, "int64")
    yield call.layer.embeddings, Rows(numbers, gradient, call.layer.input_dim, call.examples)


def normalization(call, gradient):
    """Yields the gradients of scales and offsets of values that have been normalized."""
    layer = call.layer
    # RMSNormalization calls its factor `scale`. Elsewhere that is a boolean.
    gamma = getattr(layer, "gamma", None) if hasattr(layer, "gamma") else layer.scale
    beta = getattr(layer, "beta", None)
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    kept = {axis % gradient.shape.rank for axis in axes}
    if 0 in kept:
        raise NoClosedForm
    summed = [axis for axis in range(1, gradient.shape.rank) if axis not in kept]
    gradient = tf.cast(gradient, "float32")
    if gamma is not None:
        one = (gamma, tf.ones_like(gamma.value))
        zero = [] if beta is None else [(beta, tf.zeros_like(beta.value))]
        normalized = tf.cast(call.again([one, *zero]), "float32")
        yield gamma, Values(tf.reduce_sum(normalized * gradient, axis=summed), call.examples)
    if beta is not None:
        yield beta, Values(tf.reduce_sum(gradient, axis=summed), call.examples)


RULES = {
    layers.Dense: dense,
    Preactivation: preactivation,
    layers.EinsumDense: einsum_dense,
    layers.Conv1D: convolution,
    layers.Conv2D: convolution,
    layers.Conv3D: convolution,
    layers.DepthwiseConv1D: depthwise_convolution,
    layers.DepthwiseConv2D: depthwise_convolution,
    layers.SeparableConv1D: separable_convolution,
    layers.SeparableConv2D: separable_convolution,
    layers.Embedding: embedding,
    layers.BatchNormalization: normalization,
    layers.LayerNormalization: normalization,
    layers.GroupNormalization: normalization,
    layers.RMSNormalization: normalization,
}


def _of_bias(call, gradient, bias):
    """Yields the gradients by a bias that is added along the last axes of the output, if any."""
    if bias is None:
        return
    first = gradient.shape.rank - len(bias.shape)
    if first < 1:
        raise NoClosedForm
    repeated = [first + axis for axis, size in enumerate(bias.shape) if size == 1]
    summed = [*range(1, first), *repeated]
    yield bias, Values(tf.reduce_sum(tf.cast(gradient, "float32"), axis=summed), call.examples)


def _depthwise(layer, inputs, gradient, examples):
    channels, made = inputs.shape[-1], gradient.shape[-1]
    gradient = tf.cast(gradient, "float32")
    by_channel = tf.reshape(gradient, (*_shape(gradient)[:-1], channels, made // channels))
    spatial = list(range(1, inputs.shape.rank - 1))
    entries = [
        tf.reduce_sum(tf.cast(x, "float32")[..., tf.newaxis] * by_channel, axis=spatial)
        for x in _shifted(layer, inputs, gradient)
    ]
    return Values(tf.stack(entries, axis=1), examples)


def _shifted(layer, inputs, gradient):
    """Returns the inputs `(batch, ..., channels)` for each entry of the kernel of a convolution."""
    sizes = gradient.shape[1:-1]
    if None in (*inputs.shape[1:], *sizes):
        raise NoClosedForm
    dilation = layer.dilation_rate
    return shifted_inputs(inputs, layer.kernel_size, layer.strides, dilation, layer.padding, sizes)


def _channels_last(layer, x):
    if layer.data_format == "channels_last":
        return x
    return tf.transpose(x, (0, *range(2, x.shape.rank), 1))


def _in_four(x, positions, groups):
    """Returns a tensor as `(batch, positions, groups, rest)`."""
    sizes = x.shape[1:].as_list()
    if None in sizes:
        raise NoClosedForm
    parts = sizes[:positions], sizes[positions : positions + groups], sizes[positions + groups :]
    return tf.reshape(x, (-1, *(tf.TensorShape(part).num_elements() for part in parts)))


def _shape(x):
    """Returns the shape of a tensor whose first axis may be unknown."""
    return -1, *x.shape[1:]
