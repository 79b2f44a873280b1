"""The graph of a functional model: its logits, the input of its last layer and its layers."""

import keras
from keras import layers

from keras_pruning.errors import InputError

_SOFTMAX_FUNCTIONS = (keras.activations.softmax, keras.activations.log_softmax)


def shows_layers(model):
    """Returns whether a call of the model computes exactly the graph of layers that it shows."""
    if not getattr(model, "outputs", None):
        return False
    # A functional model of a user's class may compute more in a `call` of its own.
    caller = next(kind for kind in type(model).__mro__ if "call" in vars(kind))
    return _is_keras(caller)


def as_logits(model):
    """Returns a model without the final softmax, which shares all weights with `model`.

    The softmax of a functional or sequential model is recognised as an activation of its last
    layer, as a layer `Softmax` and as `keras.ops.softmax`. The same holds for log-softmax. Any
    other model is returned itself.

    Raises:
        InputError: if the graph of the model shows several inputs or several outputs.
    """
    if not shows_layers(model):
        return model
    _require_one_head(model)
    (output,) = model.outputs
    last, before = made_by(output)
    if len(before) == 1 and _is_softmax(last, output):
        return keras.Model(model.inputs, before[0])
    # The softmax is part of the dense layer, so its product has to be computed without it.
    if is_plain_dense(last) and last.activation in _SOFTMAX_FUNCTIONS:
        return keras.Model(model.inputs, _Preactivation(last)(before[0]))
    # A list or a dictionary of one output becomes that output.
    nested = isinstance(getattr(model, "output", None), dict | list)
    return keras.Model(model.inputs, output) if nested else model


def _require_one_head(model):
    """Raises an `InputError` if the graph of a model has several inputs or outputs."""
    if len(model.inputs) > 1:
        raise InputError(
            "The model has several inputs. Expected a model of one input. "
            f"Received: {len(model.inputs)} inputs, {[tensor.name for tensor in model.inputs]}. "
            "Join them into one array, and take it apart inside the model."
        )
    if len(model.outputs) > 1:
        names = [made_by(tensor)[0].name for tensor in model.outputs]
        raise InputError(
            "The model has several outputs. Expected one output, one logit for each class. "
            f"Received: {len(names)} outputs, of the layers {names}. Choose one: "
            "`keras.Model(model.inputs, model.outputs[0])` has only the first and shares all "
            "weights. To train all of them, save a checkpoint after each epoch and pass such a "
            "model of each checkpoint to `score_checkpoints`."
        )


def _is_softmax(operation, output):
    """Returns whether an operation is a softmax or log-softmax of one tensor over its last axis."""
    if _calls_as(operation, layers.Activation):
        return operation.activation in _SOFTMAX_FUNCTIONS
    # A layer, or an operation such as `keras.ops.softmax`, which has no public class.
    kind = type(operation)
    if kind.__name__ not in ("Softmax", "LogSoftmax") or not _is_keras(kind):
        return False
    return operation.axis in (-1, len(output.shape) - 1)


def ending(model):
    """Returns the name of the activation that gives the outputs of a model.

    Returns:
        Name of a function of `keras.activations`, `"linear"` for a dense layer without activation,
        or `None` if the graph of the model does not show it.
    """
    if not shows_layers(model) or len(model.outputs) > 1:
        return None
    layer, _ = _before_linear(model.outputs[0])
    if isinstance(layer, keras.Model):
        return ending(layer)
    if isinstance(layer, _Preactivation):
        return "linear"
    if is_plain_dense(layer) or _calls_as(layer, layers.Activation):
        name = getattr(layer.activation, "__name__", "")
        return name if getattr(keras.activations, name, None) is layer.activation else None
    # Classes of layers and of operations such as `keras.ops.sigmoid`
    name = type(layer).__name__ if _is_keras(type(layer)) else ""
    return {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}.get(name)


def is_plain_dense(layer):
    """Returns whether a layer is a product with its kernel, a bias and an activation, and no more.

    A subclass of `Dense` may compute anything else in a `call` of its own. A quantized layer or one
    with LoRA has further weights.
    """
    return (
        _calls_as(layer, layers.Dense)
        and type(layer).kernel is layers.Dense.kernel
        and not layer.lora_enabled
        and layer.quantization_mode is None
    )


def _calls_as(layer, kind):
    """Returns whether a layer is of a class of Keras, or of a subclass with the same `call`."""
    return isinstance(layer, kind) and type(layer).call is kind.call and "call" not in vars(layer)


def _is_keras(kind):
    return kind.__module__.partition(".")[0] == "keras"


def with_penultimate(model):
    """Returns a function of a batch that gives the logits and the input of the last layer.

    Args:
        model: Keras model that ends in logits and passes `require_penultimate`.

    Returns:
        Function from `(batch, ...)` to the logits `(batch, classes)` and a tensor
        `(batch, features)`, the input of the last dense layer. A column of ones is appended to it
        if the layer has a bias.
    """
    dense, penultimate = _last_dense(model)
    both = keras.Model(model.inputs, [model.outputs[0], penultimate])

    def show(x):
        logits, features = both(x, training=False)
        ones = keras.ops.ones_like(features[:, :1])
        return logits, keras.ops.concatenate([features, ones][: 1 + dense.use_bias], axis=-1)

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
    layer, penultimate = _before_linear(model.outputs[0])
    stripped = isinstance(layer, _Preactivation)
    layer = layer.dense if stripped else layer
    if not is_plain_dense(layer) or len(penultimate.shape) != 2:
        return None, None
    if not stripped and layer.activation is not keras.activations.linear:
        return None, None
    return layer, penultimate


def _before_linear(tensor):
    """Returns the operation that made a tensor, and its first input, before linear activations."""
    layer, before = made_by(tensor)
    # A linear activation changes nothing, so the layer before it still gives the logits.
    while _calls_as(layer, layers.Activation) and layer.activation is keras.activations.linear:
        layer, before = made_by(before[0])
    return layer, before[0] if before else None


def layer_outputs(model):
    """Returns the symbolic outputs of every layer in the graph of a functional or sequential model.

    `layer.output` would be the output in the first graph that the layer was ever part of.

    Returns:
        Dictionary from layer name to a list of symbolic tensors, several if the layer is called
        more than once.
    """
    # Walk from the outputs to the inputs, and visit each tensor once.
    outputs, queue = {}, list(model.outputs)
    while queue:
        tensor = queue.pop()
        operation, inputs = made_by(tensor)
        known = outputs.setdefault(operation.name, [])
        if not any(tensor is other for other in known):
            known.append(tensor)
            queue.extend(inputs)
    return outputs


def made_by(tensor):
    """Returns the operation that made a symbolic tensor, and the tensors that it was made from."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def functional_copy(model, spec):
    """Returns a functional model over the same layers and weights as `model`.

    Args:
        model: Keras model.
        spec: `ArraySpec` of the examples, for models without a graph.
    """
    if shows_layers(model):
        return keras.Model(model.inputs, model.outputs)
    inputs = keras.Input(spec.shape, dtype=spec.dtype)
    return keras.Model(inputs, model(inputs))


class _Preactivation(layers.Layer):
    """The output of a dense layer before its activation, with the weights of that layer."""

    def __init__(self, dense):
        super().__init__(name=f"{dense.name}_before_activation", dtype=dense.dtype_policy)
        self.dense = dense

    def call(self, x):
        x = keras.ops.matmul(x, self.dense.kernel)
        return x + self.dense.bias if self.dense.use_bias else x
