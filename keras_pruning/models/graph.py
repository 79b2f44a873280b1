"""What a functional model is made of: its logits, its layers, where prediction depth probes."""

import keras
from keras import layers

from keras_pruning.errors import InputError

# By name, because the operations `x + y` and `keras.ops.concatenate` have no public class.
_MERGES = ("Add", "Concatenate")
# What belongs to the layer before it; before the first one, to the input.
_ELEMENTWISE = (
    layers.Normalization,
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.ELU,
    layers.PReLU,
)


def shows_layers(model):
    """Whether a model is a graph of layers, and nothing more than that graph when it is called."""
    if not getattr(model, "outputs", None):
        return False
    caller = next(each for each in type(model).__mro__ if "call" in vars(each))
    return caller.__module__.partition(".")[0] == "keras"


def as_logits(model):
    """The model without its final softmax, sharing all weights; itself if there is none to see.

    The softmax of a functional or sequential model is recognised as an activation of its last
    layer, as a layer of its own and as `keras.ops.softmax`.
    """
    if not shows_layers(model):
        return model
    last, (before, *_) = _made_by(model.outputs[0])
    # By name, because the operation `keras.ops.softmax` has no public class.
    if type(last).__name__ == "Softmax":
        return keras.Model(model.inputs, before)
    if not isinstance(last, layers.Activation | layers.Dense):
        return model
    if last.activation is not keras.activations.softmax:
        return model
    if isinstance(last, layers.Activation):
        return keras.Model(model.inputs, before)
    return keras.Model(model.inputs, _Preactivation(last)(before))


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
    layer, (penultimate, *_) = _made_by(model.outputs[0])
    # A linear activation changes nothing, so the layer before it still gives the logits.
    while isinstance(layer, layers.Activation) and layer.activation is keras.activations.linear:
        layer, (penultimate, *_) = _made_by(penultimate)
    stripped = isinstance(layer, _Preactivation)
    layer = layer.dense if stripped else layer
    if not isinstance(layer, layers.Dense) or len(penultimate.shape) != 2:
        return None, None
    if not stripped and layer.activation is not keras.activations.linear:
        return None, None
    return layer, penultimate


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
    if shows_layers(model):
        return keras.Model(model.inputs, model.outputs)
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, model(inputs))


class _Preactivation(layers.Layer):
    """The output of a dense layer before its activation, with the weights of that layer."""

    def __init__(self, dense):
        super().__init__(name=f"{dense.name}_before_activation", dtype=dense.dtype_policy)
        self.dense = dense

    def call(self, x):
        x = keras.ops.matmul(x, self.dense.kernel)
        return x + self.dense.bias if self.dense.use_bias else x


def probe_layers(model):
    """The names of the layers where prediction depth probes unless it is told otherwise.

    A model with skip connections is probed after each merge, before the activation that follows,
    and after the stem: the last normalization, or the last layer with weights, before the first
    branch. Any other model is probed after each layer with weights but the last, behind the
    normalization and the activation that belong to it. Functional and sequential models inside it
    are taken for their layers. What is called more than once is left out.

    Args:
        model: functional or sequential model that ends in logits.

    Returns:
        A list of layer names, `outer/inner` in a model inside, from input to output, without the
        input and the logits.
    """
    opened = _opened(model)
    merges = [name for name, operation, owner in opened if _is_merge(operation, owner)]
    if merges:
        return [*_stem(opened, merges[0]), *merges]
    probed = []
    for name, layer, _ in opened:
        if isinstance(layer, _ELEMENTWISE):
            probed[-1:] = [name] * bool(probed)
        elif getattr(layer, "weights", None):
            probed.append(name)
    return probed[:-1]


def _opened(model, prefix=""):
    """The operations of a model and of the models in its graph: path, operation and its model.

    Without those that have several outputs or are called more than once.
    """
    outputs, found = layer_outputs(model), []
    # A sequential model has nothing but layers.
    for operation in getattr(model, "operations", model.layers):
        name = prefix + operation.name
        if len(outputs[operation.name]) > 1:
            continue
        if isinstance(operation, keras.Model) and shows_layers(operation):
            found.extend(_opened(operation, f"{name}/"))
        else:
            found.append((name, operation, model))
    return found


def _is_merge(operation, model):
    """Whether several tensors come together, rather than a tensor and a constant."""
    if type(operation).__name__ not in _MERGES:
        return False
    return len(_made_by(layer_outputs(model)[operation.name][0])[1]) > 1


def _stem(opened, merge):
    """What every path to `merge` goes through, at its last normalization or weights: one or none.

    Only in the model that the merge is part of, and in those inside it.
    """
    _, operation, model = next(each for each in opened if each[0] == merge)
    _, branches = _made_by(layer_outputs(model)[operation.name][0])
    paths = [_ancestors(tensor) for tensor in branches]
    prefix = merge.removesuffix(operation.name)
    before = [each for each in opened if each[0].startswith(prefix)]
    parts = [name.removeprefix(prefix).partition("/")[0] for name, *_ in before]
    weighted = [
        (name, layer)
        for part, (name, layer, _) in zip(parts, before, strict=True)
        if getattr(layer, "weights", None) and all(part in path for path in paths)
    ]
    normalized = [each for each in weighted if isinstance(each[1], layers.BatchNormalization)]
    return [name for name, _ in (normalized or weighted)[-1:]]


def _ancestors(tensor):
    """The names of all operations that a symbolic tensor depends on."""
    found, queue = set(), [tensor]
    while queue:
        operation, inputs = _made_by(queue.pop())
        if operation.name not in found:
            found.add(operation.name)
            queue.extend(inputs)
    return found
