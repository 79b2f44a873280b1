"""What named layers make of a batch, in any Keras model."""

import contextlib

import keras

from keras_pruning.errors import InputError
from keras_pruning.models.graph import (
    layer_outputs,
    probe_layers,
    require_penultimate,
    shows_layers,
    symbolic_penultimate,
)

# No layer can have this name: the input of the last dense layer, often called h.
PENULTIMATE = "<penultimate>"


def show(model, names):
    """A function of a batch that gives the model's outputs and those of some of its layers.

    Layers in the graph of a functional model are outputs of a further functional model. Layers
    inside other layers, and those of a subclassed model, are watched while the model is called.

    Args:
        model: Keras model.
        names: list of names out of `layer_names`, or `PENULTIMATE`.

    Returns:
        Function from `(batch, ...)` to the outputs and a dictionary of a tensor `(batch, ...)` for
        each name. It raises an `InputError` if a layer is not called once, for one tensor of a
        known shape, or is called in a loop or a graph of its own.
    """
    in_graph = _in_graph(model)
    outer = {name: _only(in_graph[name], name) for name in names if name in in_graph}
    inner = {name: _inner_layer(model, name) for name in names if name not in in_graph}
    if outer:
        both = keras.Model(model.inputs, {"outputs": model.outputs[0], "hidden": outer})
    else:

        def both(x, training):
            return {"outputs": model(x, training=training), "hidden": {}}

    def shown(x):
        with contextlib.ExitStack() as stack:
            calls = {name: stack.enter_context(_calls(layer)) for name, layer in inner.items()}
            output = both(x, training=False)
        outputs, hidden = output["outputs"], output["hidden"]
        hidden = hidden | {name: _only_call(calls[name], name) for name in inner}
        for name, tensor in hidden.items():
            _require_vectors(tensor, name, outputs)
        return outputs, hidden

    return shown


def layer_names(model, layers=None):
    """The names of the hidden layers that `layers` means, checked against `model`.

    Args:
        model: Keras model.
        layers: list of names, from the input to the output, also of layers inside other layers, as
            `"outer/inner"` where the name alone is not unique; or how many of the last of
            `probe_layers`; by default all of these.

    Raises:
        InputError: if a layer does not exist or is named twice, or the model does not show the
            order of its layers and they are not named.
    """
    if isinstance(layers, list | tuple):
        in_graph = _in_graph(model)
        for name in layers:
            if name not in in_graph:
                _inner_layer(model, name)
        if len(set(layers)) < len(layers):
            raise InputError(
                f"Invalid `layers`. Expected each once. Received: layers={list(layers)}"
            )
        return list(layers)
    names = probe_layers(model) if shows_layers(model) else []
    itself = _without_copy(model)
    inside = [path for path in _inner_layers(model) if "/" in path or not shows_layers(itself)]
    if inside and not names and layers != 0:
        raise InputError(
            f"The model {type(itself).__name__} {itself.name!r} does not show the order of its "
            "layers. Expected a functional or sequential Keras model, or the names of the `layers` "
            f"to probe, among {inside}."
        )
    if layers is None:
        return names
    if layers > len(names):
        raise InputError(
            f"Invalid `layers`. Expected at most {len(names)}, the hidden layers to probe. "
            f"Received: layers={layers}"
        )
    return names[len(names) - layers :]


def _in_graph(model):
    """The symbolic outputs of each layer in the graph of a functional model; else none."""
    if not shows_layers(model):
        return {}
    penultimate = symbolic_penultimate(model)
    return layer_outputs(model) | ({} if penultimate is None else {PENULTIMATE: [penultimate]})


def _inner_layers(model):
    """The layers of a model and those inside them: lists, by path `outer/inner`."""
    found = {}

    def visit(layer, prefix):
        for child in _children(layer):
            found.setdefault(prefix + child.name, []).append(child)
            visit(child, f"{prefix}{child.name}/")

    visit(_without_copy(model), "")
    return found


def _without_copy(model):
    """The subclassed model that `functional_copy` made a model of, so that paths stay the same."""
    parts = _children(model)
    copied = shows_layers(model) and len(parts) == 1 and isinstance(parts[0], keras.Model)
    return parts[0] if copied and not shows_layers(parts[0]) else model


def _children(layer):
    """The layers of a layer, and of a functional model also operations such as `x + y`."""
    if not isinstance(layer, keras.Layer):
        return []
    parts = layer._flatten_layers(recursive=False, include_self=False)
    once = {id(each): each for each in [*parts, *getattr(layer, "operations", [])]}.values()
    # Nobody calls an input; and a layer of the user's may have `operations` of another kind.
    return [
        each
        for each in once
        if isinstance(each, keras.Operation) and not isinstance(each, keras.layers.InputLayer)
    ]


def _inner_layer(model, name):
    if name == PENULTIMATE:
        require_penultimate(model, "Name the `layer` instead.")
    inner = _inner_layers(model)
    # The path itself comes first, as no other name could mean that layer.
    paths = [name] if name in inner else [path for path in inner if path.endswith(f"/{name}")]
    if not paths:
        known = [each for each in dict.fromkeys([*_in_graph(model), *inner]) if each != PENULTIMATE]
        raise InputError(f"Unknown layers. Expected names among {known}. Received: {name!r}")
    # A layer that two others share has two paths.
    found = {id(layer): layer for path in paths for layer in inner[path]}
    if len(found) > 1:
        raise InputError(
            f"{len(found)} layers are called {name!r}. Expected one. They are {paths}; give the "
            "whole path, or layers names of their own."
        )
    return next(iter(found.values()))


@contextlib.contextmanager
def _calls(layer):
    """Collects what a layer gives whenever it is called within the context."""
    outputs, call = [], layer.call

    def watched(*args, **kwargs):
        outputs.append(call(*args, **kwargs))
        return outputs[-1]

    before = vars(layer).get("call")
    # Past Keras' own `__setattr__`: this is no part of the layer.
    object.__setattr__(layer, "call", watched)
    try:
        yield outputs
    finally:
        object.__delattr__(layer, "call")
        if before is not None:
            object.__setattr__(layer, "call", before)


def _only_call(calls, name):
    """The one tensor of the one call of a watched layer."""
    if len(calls) != 1:
        raise no_vector(name, f"{len(calls)} calls of it")
    return _only(keras.tree.flatten(calls[0]), name)


def _only(tensors, name):
    """The one tensor among what a layer gives."""
    if len(tensors) != 1:
        raise no_vector(name, f"{len(tensors)} outputs of it")
    return tensors[0]


def _require_vectors(tensor, name, outputs):
    shape = getattr(tensor, "shape", None)
    if shape is None or not shape.rank or None in shape[1:]:
        raise no_vector(name, f"an output of shape {shape}")
    # An eager tensor has no graph; a `tf.function` and the body of a loop have their own.
    if getattr(tensor, "graph", None) is not getattr(outputs, "graph", None):
        raise no_vector(name, "a call within a tf.function, a loop or a branch")


def no_vector(name, received):
    """The `InputError` for a layer that cannot be embedded, for what was received from it."""
    return InputError(
        f"The layer {name!r} does not give one vector for each example. Expected a layer that the "
        "model calls once, for one tensor of known shape, outside of any tf.function, loop and "
        f"branch. Received: {received}. Name another layer, such as one around it; or take "
        "@tf.function off the model's `call`, where Keras does not need it."
    )
