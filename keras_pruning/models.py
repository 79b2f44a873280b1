"""Small networks that end in logits, any other Keras model, and where prediction depth probes."""

import importlib
import os
import sys
from pathlib import Path

import keras
from keras import layers

from keras_pruning.errors import InputError, unknown


def mlp(input_shape, num_classes, width=128):
    """Two hidden layers of `width` units, for inputs of any shape.

    Args:
        input_shape: shape of one example.
        num_classes: number of logits.
        width: units of a hidden layer.
    """
    inputs = keras.Input(input_shape)
    x = layers.Flatten(name="flatten")(inputs)
    x = layers.Dense(width, activation="relu", name="hidden1")(x)
    x = layers.Dense(width, activation="relu", name="hidden2")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="mlp")


def cnn(input_shape, num_classes, width=32):
    """Three convolutions of stride 2 with `width`, 2 · `width` and 4 · `width` filters.

    Args:
        input_shape: `(height, width, channels)`, 8 × 8 to 32 × 32 pixels.
        num_classes: number of logits.
        width: filters of the first convolution.
    """
    inputs = keras.Input(_image_shape(input_shape))
    x = inputs
    for number, filters in enumerate((width, 2 * width, 4 * width), start=1):
        x = _convolution(x, filters, 3, 2, f"conv{number}")
        x = _normalization(x, f"conv{number}_norm")
        x = layers.ReLU(name=f"conv{number}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="cnn")


def resnet18(input_shape, num_classes, width=64):
    """ResNet-18 as it is used on CIFAR: a 3 × 3 stem of stride 1 and no pooling after it.

    The layers `stem` (after its normalization, before ReLU) and `block1` … `block8` (after the
    skip addition, before ReLU) are where prediction depth probes.

    Args:
        input_shape: `(height, width, channels)`.
        num_classes: number of logits.
        width: filters of the stem and the first stage; later stages double it.

    Reference:
        He et al., Deep Residual Learning for Image Recognition (arXiv 1512.03385), with the stem
        of Baldock et al. 2021, appendix A.
    """
    inputs = keras.Input(_image_shape(input_shape))
    x = _normalization(_convolution(inputs, width, 3, 1, "stem_conv"), "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for block in range(8):
        stage, second = divmod(block, 2)
        stride = 2 if stage and not second else 1
        x = _residual_block(x, width * 2**stage, stride, f"block{block + 1}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name="resnet18")


def _residual_block(x, filters, stride, name):
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
    # Keras' own momentum of 0.99 lags behind in the short runs that scores are taken from.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _image_shape(input_shape):
    if len(input_shape) != 3:
        raise InputError(
            "This model takes images. Expected examples of shape (height, width, channels). "
            f"Received: {tuple(input_shape)}. The model `mlp` takes any shape."
        )
    return tuple(input_shape)


MODELS = {"mlp": mlp, "cnn": cnn, "resnet18": resnet18}


def build(name, input_shape, num_classes, **options):
    """A freshly initialised model with one output for each class.

    Args:
        name: `"mlp"`, `"cnn"`, `"resnet18"`; or `"package.module:function"`, which is called as
            `function(input_shape, num_classes, **options)` and returns a Keras model; or the path
            of a `.keras` file, whose architecture is used with new weights.
        input_shape: shape of one example.
        num_classes: number of classes.
        **options: passed on, for example `width`.

    Raises:
        InputError: if there is no such model, or it does not fit the examples.
    """
    if name.endswith(".keras"):
        model = keras.models.clone_model(load(name))
    else:
        function = MODELS.get(name) or _imported(name)
        try:
            model = function(tuple(input_shape), num_classes, **options)
        except TypeError as error:
            raise InputError(f"Cannot build the model {name!r}: {error}") from error
    require_fit(model, input_shape, num_classes)
    return model


def load(path):
    """The model in a `.keras` file, loaded in safe mode.

    Raises:
        InputError: if the file is missing or cannot be loaded.
    """
    if not Path(path).is_file():
        raise InputError(f"Missing model file. Expected a .keras file. Received: {path}")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"Cannot load the model {path}: {reason}") from error


def _imported(name):
    module_name, _, function = name.partition(":")
    if not function:
        raise unknown("model", name, [*MODELS, "package.module:function", "FILE.keras"])
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module_name), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InputError(
            f"Cannot import the model. Expected an importable package.module:function. "
            f"Received: {name!r} ({error})"
        ) from error


def require_fit(model, input_shape, num_classes):
    """Raises an `InputError` unless `model` maps such examples to `num_classes` outputs."""
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected a Keras model. Received: {type(model).__name__}")
    try:
        output = model(keras.ops.zeros((1, *input_shape)), training=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"The model does not take the examples, of shape {tuple(input_shape)}: {reason}"
        ) from error
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape) != (1, num_classes):
        received = f"{len(output)} outputs" if shape is None else (None, *shape[1:])
        raise InputError(
            "The model does not fit the examples. "
            f"Expected one output of shape (None, {num_classes}), one logit a class. "
            f"Received: {received}"
        )


def as_logits(model):
    """The model without its final softmax, sharing all weights; itself if there is none to see.

    The softmax of a functional or sequential model is recognised as an activation of its last
    layer or as a layer of its own.
    """
    if not getattr(model, "outputs", None):
        return model
    last, (before, *_) = _made_by(model.outputs[0])
    if isinstance(last, layers.Softmax):
        return keras.Model(model.inputs, before)
    if getattr(last, "activation", None) is not keras.activations.softmax:
        return model
    if isinstance(last, layers.Activation):
        return keras.Model(model.inputs, before)
    return keras.Model(model.inputs, _Preactivation(last)(before))


def layer_outputs(model):
    """The symbolic outputs of every layer in the graph of a functional or sequential model.

    `layer.output` would be that of the first graph the layer was ever used in.

    Returns:
        Dictionary from layer name to a list of symbolic tensors.
    """
    outputs, queue = {}, list(model.outputs)
    while queue:
        tensor = queue.pop()
        operation, inputs = _made_by(tensor)
        known = outputs.setdefault(operation.name, [])
        if not any(tensor is other for other in known):
            known.append(tensor)
            queue.extend(inputs)
    return outputs


def _made_by(tensor):
    """The operation that made a symbolic tensor, and the tensors it was made from."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def functional_copy(model, input_shape):
    """A functional model over the same layers and weights as `model`."""
    if getattr(model, "outputs", None):
        return keras.Model(model.inputs, model.outputs)
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, model(inputs))


class _Preactivation(layers.Layer):
    """The output of a dense layer before its activation, with the weights of that layer."""

    def __init__(self, dense):
        super().__init__(name=f"{dense.name}_before_activation")
        self.dense = dense

    def call(self, x):
        x = keras.ops.matmul(x, self.dense.kernel)
        return x + self.dense.bias if self.dense.use_bias else x


def probe_layers(model):
    """The names of the layers where prediction depth probes unless it is told otherwise.

    A model with skip connections is probed after each merge, before the activation that follows,
    and after the stem: the last normalization, or the last layer with weights, before the first
    branch. Any other model is probed after each layer with weights but the last, behind the
    normalization and the activation that belong to it.

    Args:
        model: functional or sequential model that ends in logits.

    Returns:
        A list of layer names, from input to output, without the input and the logits.
    """
    merges = [layer for layer in model.layers if isinstance(layer, _MERGES)]
    if merges:
        stem = _last_before(model, merges[0])
        return [layer.name for layer in [*stem, *merges]]
    probed = []
    for layer in model.layers:
        if layer.weights and not isinstance(layer, layers.BatchNormalization):
            probed.append(layer)
        elif probed and isinstance(layer, _ELEMENTWISE):
            probed[-1] = layer
    return [layer.name for layer in probed[:-1]]


_MERGES = (layers.Add, layers.Concatenate)
_ELEMENTWISE = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.ELU,
    layers.PReLU,
)


def _last_before(model, merge):
    """The stem: what every path to `merge` goes through, at its last normalization or weights."""
    _, branches = _made_by(layer_outputs(model)[merge.name][0])
    paths = [_ancestors(tensor) for tensor in branches]
    shared = [layer for layer in model.layers if all(layer.name in path for path in paths)]
    weighted = [layer for layer in shared if layer.weights]
    normalized = [layer for layer in weighted if isinstance(layer, layers.BatchNormalization)]
    return (normalized or weighted)[-1:]


def _ancestors(tensor):
    """The names of all operations that a symbolic tensor depends on."""
    found, queue = set(), [tensor]
    while queue:
        operation, inputs = _made_by(queue.pop())
        if operation.name not in found:
            found.add(operation.name)
            queue.extend(inputs)
    return found
