"""The layers of a functional model whose votes make the prediction depth."""

import keras
from keras import layers

from keras_pruning.models.graph import layer_outputs, made_by, shows_layers

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
    return len(made_by(layer_outputs(model)[operation.name][0])[1]) > 1


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
    _, branches = made_by(layer_outputs(model)[operation.name][0])
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
        operation, inputs = made_by(queue.pop())
        if operation.name not in names:
            names.add(operation.name)
            queue.extend(inputs)
    return names
