"""The graph of a functional model: its logits, its layers and those of prediction depth."""

import keras
from keras import layers

from keras_pruning.errors import InputError

# Names, because the operations `x + y` and `keras.ops.concatenate` have no public class.
_MERGES = ("Add", "Concatenate")
# Layers that belong to the layer before them, or to the input if there is none.
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
    """Returns whether a call of the model computes exactly the graph of layers that it shows."""
    if not getattr(model, "outputs", None):
        return False
    # A functional model of a user's class may compute more in a `call` of its own.
    caller = next(kind for kind in type(model).__mro__ if "call" in vars(kind))
    return caller.__module__.partition(".")[0] == "keras"


def as_logits(model):
    """Returns a model without the final softmax, which shares all weights with `model`.

    The softmax of a functional or sequential model is recognised as an activation of its last
    layer, as a layer `Softmax` and as `keras.ops.softmax`. Any other model is returned itself.
    """
    if not shows_layers(model):
        return model
    last, (before, *_) = _made_by(model.outputs[0])
    # A layer, or the operation `keras.ops.softmax`, which has no public class.
    if type(last).__name__ == "Softmax":
        return keras.Model(model.inputs, before)
    if not isinstance(last, layers.Activation | layers.Dense):
        return model
    if last.activation is not keras.activations.softmax:
        return model
    if isinstance(last, layers.Activation):
        return keras.Model(model.inputs, before)
    # The softmax is part of the dense layer, so its product has to be computed without it.
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
        operation, inputs = _made_by(tensor)
        known = outputs.setdefault(operation.name, [])
        if not any(tensor is other for other in known):
            known.append(tensor)
            queue.extend(inputs)
    return outputs


def _made_by(tensor):
    """Returns the operation that made a symbolic tensor, and the tensors that it was made from."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def functional_copy(model, input_shape):
    """Returns a functional model over the same layers and weights as `model`.

    Args:
        model: Keras model.
        input_shape: shape of one example, for models without a graph.
    """
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
    """Returns the names of the layers that prediction depth uses by default.

    In a model with skip connections, these are the merges, before the activation that follows, and
    the stem: the last normalization, or the last layer with weights, before the first branch. In
    any other model, these are all layers with weights except the last, each after the normalization
    and the activation that belong to it. A functional or sequential model inside the model is
    replaced by its layers. Layers that are called more than once are left out.

    Args:
        model: functional or sequential model that ends in logits.

    Returns:
        List of layer names from input to output, `outer/inner` for a layer of a model inside,
        without the input and the logits.
    """
    opened = _opened(model)
    merges = [name for name, operation, owner in opened if _is_merge(operation, owner)]
    if merges:
        return [*_stem(opened, merges[0]), *merges]
    # Without skip connections: a normalization or an activation replaces the layer before it.
    names = []
    for name, layer, _ in opened:
        if isinstance(layer, _ELEMENTWISE):
            names[-1:] = [name] * bool(names)
        elif getattr(layer, "weights", None):
            names.append(name)
    # The last layer with weights gives the logits.
    return names[:-1]


def _opened(model, prefix=""):
    """Returns the operations of a model, with those of the models in its graph in their place.

    Operations that have several outputs or are called more than once are left out.

    Args:
        model: functional or sequential model.
        prefix: path of the model with a slash, empty for the outermost one.

    Returns:
        List of tuples of the operation's path, the operation and the model that it belongs to.
    """
    outputs, operations = layer_outputs(model), []
    # A sequential model has no `operations`, only layers.
    for operation in getattr(model, "operations", model.layers):
        name = prefix + operation.name
        if len(outputs[operation.name]) > 1:
            continue
        if isinstance(operation, keras.Model) and shows_layers(operation):
            operations.extend(_opened(operation, f"{name}/"))
        else:
            operations.append((name, operation, model))
    return operations


def _is_merge(operation, model):
    """Returns whether the operation joins several tensors, not a tensor and a constant."""
    if type(operation).__name__ not in _MERGES:
        return False
    return len(_made_by(layer_outputs(model)[operation.name][0])[1]) > 1


def _stem(opened, merge):
    """Returns the name of the layer that ends the stem before `merge`, as a list of one or none.

    The stem is the part of the graph that every path to the merge goes through. It is searched in
    the model that contains the merge, and in the models inside of it.

    Args:
        opened: result of `_opened`.
        merge: path of the first merge.
    """
    # Collect the ancestors of each branch of the merge.
    _, operation, model = next(entry for entry in opened if entry[0] == merge)
    _, branches = _made_by(layer_outputs(model)[operation.name][0])
    paths = [_ancestors(tensor) for tensor in branches]
    # Keep the layers with weights that all branches depend on. In this graph, a layer of a model
    # inside goes by the name of that model.
    prefix = merge.removesuffix(operation.name)
    inside = [entry for entry in opened if entry[0].startswith(prefix)]
    parts = [name.removeprefix(prefix).partition("/")[0] for name, *_ in inside]
    weighted = [
        (name, layer)
        for part, (name, layer, _) in zip(parts, inside, strict=True)
        if getattr(layer, "weights", None) and all(part in path for path in paths)
    ]
    # Take the last normalization, or the last of them if there is none.
    normalized = [entry for entry in weighted if isinstance(entry[1], layers.BatchNormalization)]
    return [name for name, _ in (normalized or weighted)[-1:]]


def _ancestors(tensor):
    """Returns the names of all operations that a symbolic tensor depends on."""
    names, queue = set(), [tensor]
    while queue:
        operation, inputs = _made_by(queue.pop())
        if operation.name not in names:
            names.add(operation.name)
            queue.extend(inputs)
    return names
