"""A hash of a model as built: layers, graph, settings and initial weights. Runs in a child."""

import hashlib
import os

import keras
import numpy as np

from keras_pruning.models import loading
from keras_pruning.models.graph import made_by, shows_layers
from keras_pruning.own_sources import digest_of


def digest(name, spec, num_classes, options, folder):
    """Builds a model and returns a hash of it, 32 hexadecimal digits.

    Args:
        name: as for `keras_pruning.models.loading.build`.
        spec: `ArraySpec` of the examples, or a dictionary or tuple of them.
        num_classes: number of classes.
        options: dictionary of options of the model's function.
        folder: path of the working folder of the command.
    """
    os.chdir(folder)
    # One seed, so that equal initializers give equal weights. Pretrained weights show anyway.
    keras.utils.set_random_seed(0)
    model = loading.build(name, spec, num_classes, **options)
    return digest_of([_description(layer) for layer in model._flatten_layers()])


def _description(layer):
    """Returns class, settings, graph and weights of a layer as values for JSON."""
    kind, weights = type(layer), [*layer._trainable_variables, *layer._non_trainable_variables]
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "config": _config(layer),
        "graph": _graph(layer) if isinstance(layer, keras.Model) else None,
        "trainable": layer.trainable,
        "weights": [[weight.dtype, list(weight.shape), _bits(weight)] for weight in weights],
    }


def _config(layer):
    """Returns the settings of a layer, as far as they are plain values."""
    if isinstance(layer, keras.Model | keras.layers.Lambda):
        # The layers inside are described by themselves. The code of a function is in its sources.
        return layer.name
    try:
        return _plain(layer.get_config())
    except Exception:  # A user's layer may raise errors of any kind, or have no settings.
        return layer.name


def _plain(value):
    """Returns nested dictionaries and lists whose other values are plain or names of classes."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    # The text of other objects may hold their address, which differs in every process.
    return value if isinstance(value, str | int | float | None) else type(value).__name__


def _graph(model):
    """Returns the inputs of each operation of a functional model, `None` of any other model."""
    if not shows_layers(model):
        return None
    edges, queue, seen = [], list(model.outputs), set()
    while queue:
        tensor = queue.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            operation, inputs = made_by(tensor)
            edges.append([operation.name, [made_by(before)[0].name for before in inputs]])
            queue.extend(inputs)
    return edges


def _bits(weight):
    values = keras.ops.convert_to_numpy(weight)
    return hashlib.sha256(values.tobytes()).hexdigest()[:32]
