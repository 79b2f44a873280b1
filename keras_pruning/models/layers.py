"""The outputs of named layers for a batch, in any Keras model."""

import contextlib

import keras

from keras_pruning.errors import InputError
from keras_pruning.models.graph import layer_outputs, shows_layers
from keras_pruning.models.heads import require_penultimate, symbolic_penultimate
from keras_pruning.models.probe_layers import probe_layers

# No layer can have this name: the input of the last dense layer, often called h.
PENULTIMATE = "<penultimate>"


def show(model, names):
    """Returns a function of a batch that gives the outputs of the model and of some of its layers.

    Layers in the graph of a functional model become outputs of a second functional model. Layers
    inside other layers, and layers of a subclassed model, are watched while the model is called.

    Args:
        model: Keras model.
        names: list of names from `layer_names`, or `PENULTIMATE`.

    Returns:
        Function from `(batch, ...)` to the outputs and a dictionary from names to tensors
        `(batch, ...)`. It raises an `InputError` if a layer is not called exactly once, if it does
        not return one tensor of known shape, or if it is called in a loop or in another graph.
    """
    # Sort the layers into those in the graph and those to watch.
    in_graph = _in_graph(model)
    outer = {name: _only(in_graph[name], name) for name in names if name in in_graph}
    inner = {name: _inner_layer(model, name) for name in names if name not in in_graph}
    if outer:
        both = keras.Model(model.inputs, {"outputs": model.outputs[0], "hidden": outer})
    else:

        def both(x, training):
            return {"outputs": model(x, training=training), "hidden": {}}

    def shown(x):
        # Call the model once, and take the outputs of the watched layers from that call.
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
    """Returns the names of the hidden layers that `layers` selects, checked against `model`.

    Args:
        model: Keras model.
        layers: list of names from input to output, or the number of layers to take from the end of
            `probe_layers`. A layer inside another layer has the name `"outer/inner"` if its own
            name is not unique. Defaults to all of `probe_layers`.

    Raises:
        InputError: if a layer does not exist or is named twice, or if no names are passed and the
            model does not show the order of its layers.
    """
    # A list of names.
    if isinstance(layers, list | tuple):
        in_graph = _in_graph(model)
        for name in layers:
            if name not in in_graph:
                _inner_layer(model, name)
        if len(set(layers)) < len(layers):
            raise InputError(
                "Invalid `layers`. Expected every name at most once. "
                f"Received: layers={list(layers)}"
            )
        return list(layers)
    # A number of layers, or all. Layers outside of a graph have no known order.
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
    """Returns the symbolic outputs of each layer in the graph of a functional model, else none."""
    if not shows_layers(model):
        return {}
    penultimate = symbolic_penultimate(model)
    return layer_outputs(model) | ({} if penultimate is None else {PENULTIMATE: [penultimate]})


def _inner_layers(model):
    """Returns a dictionary from paths `outer/inner` to lists of the layers with that path."""
    inner = {}

    def visit(layer, prefix):
        for child in _children(layer):
            inner.setdefault(prefix + child.name, []).append(child)
            visit(child, f"{prefix}{child.name}/")

    visit(_without_copy(model), "")
    return inner


def _without_copy(model):
    """Returns the subclassed model inside a `functional_copy`, so that paths stay the same."""
    # Such a copy has one layer: the subclassed model.
    parts = _children(model)
    copied = shows_layers(model) and len(parts) == 1 and isinstance(parts[0], keras.Model)
    return parts[0] if copied and not shows_layers(parts[0]) else model


def _children(layer):
    """Returns the layers of a layer. A functional model also has operations such as `x + y`."""
    if not isinstance(layer, keras.Layer):
        return []
    # Remove repeated objects, and keep the order.
    parts = layer._flatten_layers(recursive=False, include_self=False)
    children = {id(part): part for part in [*parts, *getattr(layer, "operations", [])]}.values()
    # Inputs are never called, and a user's layer may have an attribute `operations` of its own.
    return [
        child
        for child in children
        if isinstance(child, keras.Operation) and not isinstance(child, keras.layers.InputLayer)
    ]


def _inner_layer(model, name):
    if name == PENULTIMATE:
        require_penultimate(model, "Name the `layer` instead.")
    inner = _inner_layers(model)
    # Prefer a full path: nothing else could name that layer.
    paths = [name] if name in inner else [path for path in inner if path.endswith(f"/{name}")]
    if not paths:
        known = [key for key in dict.fromkeys([*_in_graph(model), *inner]) if key != PENULTIMATE]
        raise InputError(f"Unknown layers. Expected names among {known}. Received: {name!r}")
    # Count objects, because a layer that two others share has two paths.
    matches = {id(layer): layer for path in paths for layer in inner[path]}
    if len(matches) > 1:
        raise InputError(
            f"Ambiguous layer {name!r}. Expected the name of one layer. Received: the name of "
            f"{len(matches)} layers, {paths}. Use the whole path, or give the layers unique names."
        )
    return next(iter(matches.values()))


@contextlib.contextmanager
def _calls(layer):
    """Yields a list that collects the output of each call of a layer within the context."""
    outputs = []
    with watched(layer, lambda arguments, output: outputs.append(output)):
        yield outputs


@contextlib.contextmanager
def watched(layer, after, before=None):
    """Calls functions before and after each call of a layer within the context.

    Args:
        layer: Keras layer or operation.
        after: function of the arguments of a call and its output.
        before: function of no arguments, or `None`.
    """
    # Replace the method `call` of this object.
    call = layer.call

    def watched_call(*args, **kwargs):
        if before is not None:
            before()
        output = call(*args, **kwargs)
        after((args, kwargs), output)
        return output

    own = vars(layer).get("call")
    # Not through Keras' `__setattr__`, which would track the function as a part of the layer.
    object.__setattr__(layer, "call", watched_call)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")
        if own is not None:
            object.__setattr__(layer, "call", own)


def inner_layers(model):
    """Returns all layers and operations inside a model, each once."""
    inner = [layer for layers in _inner_layers(model).values() for layer in layers]
    return list({id(layer): layer for layer in inner}.values())


def _only_call(calls, name):
    """Returns the tensor of the only call of a watched layer. Raises if there is no such tensor."""
    if len(calls) != 1:
        raise no_vector(name, f"{len(calls)} calls of it")
    return _only(keras.tree.flatten(calls[0]), name)


def _only(tensors, name):
    """Returns the only tensor of a layer. Raises an `InputError` if there are several or none."""
    if len(tensors) != 1:
        raise no_vector(name, f"{len(tensors)} outputs of it")
    return tensors[0]


def _require_vectors(tensor, name, outputs):
    """Raises an `InputError` unless `tensor` has a known shape and the graph of the `outputs`."""
    shape = getattr(tensor, "shape", None)
    if shape is None or not shape.rank or None in shape[1:]:
        raise no_vector(name, f"an output of shape {shape}")
    # An eager tensor has no graph; a `tf.function` and the body of a loop have their own.
    if getattr(tensor, "graph", None) is not getattr(outputs, "graph", None):
        raise no_vector(name, "a call within a tf.function, a loop or a branch")


def no_vector(name, received):
    """Returns the `InputError` for a layer that does not give one vector for each example.

    Args:
        name: name of the layer.
        received: description of the layer's output, for the message.
    """
    return InputError(
        f"The layer {name!r} does not give one vector for each example. Expected a layer that the "
        "model calls once, for one tensor of known shape, outside of any tf.function, loop and "
        f"branch. Received: {received}. Name another layer, such as one around it. Or remove "
        "@tf.function from the model's `call`, where Keras does not need it."
    )
