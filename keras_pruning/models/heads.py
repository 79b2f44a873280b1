"""The head of a model: its logits, and the input of its last layer."""

import keras
from keras import layers

from keras_pruning.errors import InputError
from keras_pruning.models.graph import (
    calls_as,
    functional_copy,
    inputs_of,
    is_keras,
    is_plain_dense,
    made_by,
    shows_layers,
)

# Functions and names of operations of the last activations that are not part of the logits.
_SOFTMAX = (
    (keras.activations.softmax, keras.activations.log_softmax),
    ("Softmax", "LogSoftmax"),
)
_SIGMOID = (keras.activations.sigmoid,), ("Sigmoid",)


def as_logits(model, output=None, spec=None):
    """Returns a model that gives one logit for each class and shares all weights with `model`.

    The final softmax or log-softmax of a functional or sequential model is left out. It is
    recognised as an activation of its last layer, as a layer `Softmax` and as `keras.ops.softmax`.
    A model of one output, which is a logit z or its sigmoid, gives the two logits (-z / 2, z / 2).
    Any other model is returned itself.

    Args:
        model: Keras model.
        output: name of the output to take, if the model has several: the name of its layer, or its
            key in the dictionary that the model returns. Defaults to the only output.
        spec: `ArraySpec` of the examples or a structure of them, to see the outputs of a model
            without a graph.

    Raises:
        InputError: if the model has several outputs and `output` is not the name of one.
    """
    if not shows_layers(model):
        if output is None and not _has_one_output(model, spec):
            return model
        model = functional_copy(model, spec)
    tensor = _chosen(model, output)
    logits = _logits(tensor)
    # A list or a dictionary of one output becomes that output.
    nested = isinstance(getattr(model, "output", None), dict | list)
    changed = logits is not tensor or nested or len(model.outputs) > 1
    return keras.Model(inputs_of(model), logits) if changed else model


def with_logits(model, spec):
    """Returns a model of both the output of `model` and its logits, which runs each layer once.

    Args:
        model: Keras model of one output.
        spec: `ArraySpec` of the examples or a structure of them, for models without a graph.

    Returns:
        A `keras.Model` that returns a list of the output as it is and the logits `(batch,
        classes)`, or `None` if the output already is the logits.

    Raises:
        InputError: if the model has several outputs.
    """
    logits = as_logits(model, None, spec)
    if logits is model:
        return None
    if not shows_layers(model):
        model = functional_copy(model, spec)
    return keras.Model(inputs_of(model), _output_and_logits(model.outputs[0]))


def _output_and_logits(tensor):
    """Returns a symbolic output and its logits, of the same call of every layer."""
    last, before = made_by(tensor)
    if isinstance(last, keras.Model) and shows_layers(last) and len(before) == 1:
        # Not `_logits`, which would call the inner model again, with other dropout
        pair = _output_and_logits(last.outputs[0])
        return keras.Model(inputs_of(last), pair, name=last.name)(before[0])
    return [tensor, _logits(tensor)]


def _has_one_output(model, spec):
    """Returns whether a model without a graph gives one number for each example."""
    if spec is None:
        return False
    try:
        outputs = functional_copy(model, spec).outputs
    except Exception:  # A user's model raises errors of any kind. The checks of the model show it.
        return False
    return len(outputs) == 1 and len(outputs[0].shape) == 2 and outputs[0].shape[1] == 1


def _chosen(model, name):
    """Returns the symbolic output of a functional model that has the name `name`."""
    outputs = {made_by(tensor)[0].name: tensor for tensor in model.outputs}
    structure = None if isinstance(model, keras.Sequential) else model.output
    if isinstance(structure, dict):
        outputs |= {key: part for key, part in structure.items() if hasattr(part, "shape")}
    if name is None and len(model.outputs) == 1:
        return model.outputs[0]
    if name in outputs:
        return outputs[name]
    problem = f"has no output {name!r}" if name else "has several outputs"
    raise InputError(
        f"The model {problem}. Expected `output` to name one of {sorted(outputs)}, of which the "
        "labels are. Received: "
        f"output={name!r} for the model {model.name!r} of {len(model.outputs)} outputs"
    )


def _logits(tensor):
    """Returns the symbolic logits of an output, the output itself if it shows no activation."""
    last, before = made_by(tensor)
    if isinstance(last, keras.Model) and shows_layers(last) and len(before) == 1:
        inner = as_logits(last)
        if inner is last:
            return tensor
        return keras.Model(inputs_of(inner), inner.outputs[0], name=last.name)(before[0])
    if tensor.shape[1:] == (1,):
        logit = _before(tensor, *_SIGMOID)
        return _TwoLogits(dtype=logit.dtype)(logit)
    return _before(tensor, *_SOFTMAX)


def _before(tensor, functions, names):
    """Returns the symbolic tensor before a last activation, `tensor` itself if there is none.

    Args:
        tensor: symbolic output.
        functions: the activations, as functions of `keras.activations`.
        names: names of the classes of their layers and operations.
    """
    last, before = made_by(tensor)
    if len(before) == 1 and _applies(last, tensor, functions, names):
        return before[0]
    # The activation is part of the dense layer, so its product has to be computed without it.
    if is_plain_dense(last) and last.activation in functions:
        return Preactivation(last)(before[0])
    return tensor


def _applies(operation, output, functions, names):
    """Returns whether an operation is one of the activations, over the last axis."""
    if calls_as(operation, layers.Activation):
        return operation.activation in functions
    # A layer, or an operation such as `keras.ops.softmax`, which has no public class.
    kind = type(operation)
    if kind.__name__ not in names or not is_keras(kind):
        return False
    return getattr(operation, "axis", -1) in (-1, len(output.shape) - 1)


def ending(model):
    """Returns the name of the activation that gives the outputs of a model.

    Returns:
        Name of a function of `keras.activations`, `"linear"` for a dense layer without activation,
        or `None` if the graph of the model does not show it.
    """
    if not shows_layers(model) or len(model.outputs) > 1:
        return None
    layer, _ = _last(model)
    if isinstance(layer, keras.Model):
        return ending(layer)
    if isinstance(layer, Preactivation):
        return "linear"
    if is_plain_dense(layer) or calls_as(layer, layers.Activation):
        name = getattr(layer.activation, "__name__", "")
        return name if getattr(keras.activations, name, None) is layer.activation else None
    # Classes of layers and of operations such as `keras.ops.sigmoid`
    name = type(layer).__name__ if is_keras(type(layer)) else ""
    return {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}.get(name)


def has_one_logit(model):
    """Returns whether both logits of a model by `as_logits` are those of a single output."""
    if not shows_layers(model):
        return False
    last = made_by(model.outputs[0])[0]
    # The last layer may be a model itself.
    return isinstance(last, _TwoLogits) or (isinstance(last, keras.Model) and has_one_logit(last))


def with_penultimate(model):
    """Returns a function of a batch that gives the logits and the input of the last layer.

    Args:
        model: Keras model that ends in logits and passes `require_penultimate`.

    Returns:
        Function from `(batch, ...)` to the logits `(batch, classes)` and a tensor
        `(batch, features)`, the input of the last dense layer. A column of ones is appended to it
        if the layer has a bias. For one logit z both are divided by √2, because the gradient of
        the loss by z is |p - y|, and the error norm of both probabilities √2 |p - y|.
    """
    dense, penultimate = _last_dense(model)
    both = keras.Model(inputs_of(model), [model.outputs[0], penultimate])
    factor = 0.5**0.5 if has_one_logit(model) else 1

    def show(x):
        logits, features = both(x, training=False)
        ones = keras.ops.ones_like(features[:, :1])
        shown = keras.ops.concatenate([features, ones][: 1 + dense.use_bias], axis=-1)
        return logits, shown if factor == 1 else keras.ops.cast(shown, "float32") * factor

    return show


def require_penultimate(model, advice="Use the score `grand` with weights='all' instead."):
    """Raises an `InputError` unless `model` shows the input of a dense layer at its end.

    Args:
        model: Keras model.
        advice: the last sentence of the message, how to go on with such a model.
    """
    if not shows_layers(model) or _last_dense(model)[0] is None:
        raise InputError(
            "Could not find the input of the last layer. Expected a functional or sequential "
            f"model that ends in a dense layer. Received: {type(model).__name__} {model.name!r}. "
            f"{advice}"
        )


def symbolic_penultimate(model):
    """Returns the symbolic input of the dense layer that ends a functional model, or `None`."""
    return _last_dense(model)[1]


def _last_dense(model):
    """Returns the dense layer that gives the logits and its input, or `None` and `None`."""
    layer, penultimate = _last(model)
    stripped = isinstance(layer, Preactivation)
    layer = layer.dense if stripped else layer
    if not is_plain_dense(layer) or len(penultimate.shape) != 2:
        return None, None
    if not stripped and layer.activation is not keras.activations.linear:
        return None, None
    return layer, penultimate


def _last(model):
    """Returns the operation that gives the outputs of a model and its first input.

    Operations that keep the values of the outputs are passed over.
    """
    layer, before = made_by(model.outputs[0])
    while isinstance(layer, _TwoLogits) or (
        calls_as(layer, layers.Activation) and layer.activation is keras.activations.linear
    ):
        layer, before = made_by(before[0])
    return layer, before[0] if before else None


class Preactivation(layers.Layer):
    """The output of a dense layer before its activation, with the weights of that layer."""

    def __init__(self, dense):
        super().__init__(name=f"{dense.name}_before_activation", dtype=dense.dtype_policy)
        self.dense = dense

    def call(self, x):
        x = keras.ops.matmul(x, self.dense.kernel)
        return x + self.dense.bias if self.dense.use_bias else x


class _TwoLogits(layers.Layer):
    """The logits (-z / 2, z / 2) of two classes, of one logit z for the second of them.

    With (0, z) the first class would have no gradient.
    """

    def call(self, z):
        return keras.ops.concatenate([-z / 2, z / 2], axis=-1)
