"""What named layers make of a batch, in any Keras model."""

import contextlib

import keras

from keras_pruning.errors import InputError
from keras_pruning.model_graph import before_last_dense, layer_outputs, probe_layers, shows_layers

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
        each name. It raises an `InputError` if a layer gives no tensor, or several.
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
        hidden = output["hidden"] | {name: _only(calls[name], name) for name in inner}
        return output["outputs"], hidden

    return shown


def layer_names(model, layers=None):
    """The names of the hidden layers that `layers` means, checked against `model`.

    Args:
        model: Keras model.
        layers: list of names, also of layers inside other layers, as `"outer/inner"` where the
            name alone is not unique; or how many of the last of `probe_layers`; by default all of
            these.

    Raises:
        InputError: if a layer does not exist, or the model does not show the order of its layers
            and they are not named.
    """
    if isinstance(layers, list | tuple):
        for name in layers:
            if name not in _in_graph(model):
                _inner_layer(model, name)
        return list(layers)
    names = probe_layers(model) if shows_layers(model) else []
    inside = [path for path in _inner_layers(model) if "/" in path or not shows_layers(model)]
    if inside and not names:
        raise InputError(
            f"The model {type(model).__name__} {model.name!r} does not show the order of its "
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
    before = before_last_dense(model)
    return layer_outputs(model) | ({} if before is None else {PENULTIMATE: [before]})


def _inner_layers(model):
    """The layers of a model and those inside them: lists, by path `outer/inner`."""
    found = {}

    def visit(layer, prefix):
        for child in layer._flatten_layers(recursive=False, include_self=False):
            found.setdefault(prefix + child.name, []).append(child)
            visit(child, f"{prefix}{child.name}/")

    visit(model, "")
    return found


def _inner_layer(model, name):
    if name == PENULTIMATE:
        raise InputError(
            "The input of the last layer is not to be seen. Expected a functional or sequential "
            f"model that ends in a dense layer. Received: {type(model).__name__} {model.name!r}. "
            "Name the `layer` instead."
        )
    inner = _inner_layers(model)
    paths = [path for path in inner if f"/{path}".endswith(f"/{name}")]
    if not paths:
        known = [each for each in dict.fromkeys([*_in_graph(model), *inner]) if each != PENULTIMATE]
        raise InputError(f"Unknown layers. Expected names among {known}. Received: {name!r}")
    found = [layer for path in paths for layer in inner[path]]
    if len(found) > 1:
        raise InputError(
            f"{len(found)} layers are called {name!r}. Expected one. They are {paths}; give the "
            "whole path, or layers names of their own."
        )
    return found[0]


@contextlib.contextmanager
def _calls(layer):
    """Collects what a layer gives whenever it is called within the context."""
    outputs, call = [], layer.call

    def watched(*args, **kwargs):
        outputs.append(call(*args, **kwargs))
        return outputs[-1]

    before = vars(layer).get("call")
    # Past Keras' own `__setattr__`, which would track it as a part of the layer.
    object.__setattr__(layer, "call", watched)
    try:
        yield outputs
    finally:
        object.__delattr__(layer, "call")
        if before is not None:
            object.__setattr__(layer, "call", before)


def _only(outputs, name):
    """The one tensor among what a layer gives."""
    tensors = keras.tree.flatten(outputs)
    if len(tensors) != 1:
        raise InputError(
            f"The layer {name!r} has {len(tensors)} outputs. Expected layers with one: called "
            "once, for one tensor. Name others in `layers`."
        )
    return tensors[0]
