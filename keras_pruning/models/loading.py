"""Builds models by name, loads `.keras` files and checks that a model fits the examples."""

import importlib
import re
import traceback
from pathlib import Path

import keras
import numpy as np

from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.array_spec import described, leaves, mapped, shapes
from keras_pruning.examples.labels import hint_of_numbering
from keras_pruning.models.graph import shows_layers
from keras_pruning.models.heads import as_logits
from keras_pruning.models.model_files import require_intact
from keras_pruning.models.networks import MODELS
from keras_pruning.own_sources import working_folder_importable


def build(name, spec, num_classes, **options):
    """Builds a model with new weights and one output for each class.

    The model of a `.keras` file gets new trainable weights and new statistics of its trainable
    `BatchNormalization` layers. Adapted preprocessing layers and frozen layers keep their state.

    Args:
        name: `"mlp"`, `"cnn"`, `"plain_cnn"` or `"resnet18"`; `"package.module:function"` for a
            function that returns a Keras model when it is called as
            `function(input_shape, num_classes, **options)`; or the path of a `.keras` file, whose
            architecture is used.
        spec: `ArraySpec` of the examples, or a dictionary or tuple of them. The function gets
            their shapes.
        num_classes: number of classes.
        **options: keyword arguments of the model's function, for example `width`.

    Raises:
        InputError: if there is no such model, if it cannot be built, or if it does not fit the
            examples.
    """
    if name.endswith(".keras"):
        if options:
            raise InputError(
                "The model of a .keras file takes no options. Expected none. "
                f"Received: {options} for {name}"
            )
        model = _with_new_weights(load(name), spec)
    else:
        if name in MODELS:
            _require_one_array(name, spec)
        function = MODELS.get(name) or _imported(name)
        try:
            model = function(shapes(spec), num_classes, **options)
        except InputError:
            raise
        except Exception as error:  # A user's function raises errors of any kind.
            raise InputError(f"Cannot build the model {name!r}: {_reason(error)}") from error
    require_fit(model, spec, num_classes)
    return model


def _require_one_array(name, spec):
    """Raises an `InputError` if a built-in model gets texts or several arrays."""
    kinds = [part.dtype for part in leaves(spec)]
    if len(kinds) > 1 or "string" in kinds or not hasattr(spec, "shape"):
        raise InputError(
            f"The model {name!r} does not fit the examples. Expected one array of numbers. "
            f"Received: {described(spec)}. Use a model of your own (`model.name`), other columns "
            "of a table (`dataset.input_columns`), or its images (`dataset.image_column`)."
        )


def load(path):
    """Loads the model in a `.keras` file in safe mode, without compiling it.

    Raises:
        InputError: if the file is missing, damaged or too large when unpacked, or if it cannot be
            loaded.
    """
    require_file(path)
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        # Keras adds pages of configuration to the reason. Keep its first line.
        reason = str(error).strip().rpartition("Exception encountered: ")[2].splitlines()
        reason = (reason or [type(error).__name__])[0].partition("Full object config")[0].strip()
        raise InputError(f"Cannot load the model {path}: {reason}") from error


def require_file(path):
    """Raises an `InputError` if the `.keras` file of a path is missing, damaged or too large."""
    if not Path(path).is_file():
        raise InputError(f"Missing model file. Expected a .keras file. Received: {path}")
    require_intact(path)


def _with_new_weights(model, spec):
    """Gives the trainable weights of a model the values that a fresh copy of it has.

    The statistics that trainable layers gather and the random streams are new too. All other state
    stays: adapted preprocessing, frozen layers.

    Args:
        model: Keras model, which is changed.
        spec: `ArraySpec` of the examples, to build a copy without a graph.

    Returns:
        The same model.
    """
    fresh = keras.models.clone_model(model)
    if not shows_layers(fresh):
        # Such a copy has no weights before its first call.
        output_for_zeros(fresh, spec)
    layers, copies = (list(every._flatten_layers()) for every in (model, fresh))
    if [type(layer) for layer in layers] != [type(layer) for layer in copies]:
        raise InputError(
            f"Cannot give the model {model.name!r} new weights. Expected a model whose copy by "
            "`keras.models.clone_model` has the same layers. Received: other layers. Use "
            "package.module:function instead."
        )
    for layer, copy in zip(layers, copies, strict=True):
        for ours, theirs in zip(_renewed(layer), _renewed(copy), strict=True):
            ours.assign(theirs)
    return model


def _renewed(layer):
    """Returns the variables of a layer that start anew when its architecture is trained again."""
    variables = [generator.state for generator in layer._seed_generators]
    if layer.trainable:
        variables += layer._trainable_variables
        # Statistics that a layer gathers while it trains. Adapted preprocessing trains nothing.
        if layer._trainable_variables or isinstance(layer, keras.layers.BatchNormalization):
            variables += layer._non_trainable_variables
    return variables


def _imported(name):
    """Imports the function `"package.module:function"`."""
    module_name, _, function = name.partition(":")
    if not (module_name and function):
        raise unknown("model", name, [*MODELS, "package.module:function", "FILE.keras"])
    try:
        with working_folder_importable():
            return getattr(importlib.import_module(module_name), function)
    except Exception as error:  # The code of the module raises errors of any kind.
        raise InputError(
            "Cannot import the model. Expected an importable package.module:function. "
            f"Received: {name!r} ({_reason(error)})"
        ) from error


def _reason(error):
    """Returns an error in one line, with the file and the line that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text} ({frame.filename}:{frame.lineno})"


def require_fit(model, spec, num_classes, output=None, labels=None):
    """Raises an `InputError` unless `model` maps examples to `num_classes` outputs.

    Args:
        model: Keras model.
        spec: `ArraySpec` of the examples, or a dictionary or tuple of them.
        num_classes: number of classes.
        output: name of the output, if the model has several.
        labels: labels of the examples, for a hint in the message if they count from 1.
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected a Keras model. Received: {type(model).__name__}")
    output = output_for_zeros(as_logits(model, output, spec), spec)
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape) != (1, num_classes):
        received = f"{len(output)} outputs" if shape is None else (None, *shape[1:])
        counts_from_1 = labels is not None and received == (None, num_classes - 1)
        raise InputError(
            "The model does not fit the examples. "
            f"Expected one output of shape (None, {num_classes}), one logit for each class. "
            f"Received: {received}{hint_of_numbering(labels) if counts_from_1 else ''}"
        )


def output_for_zeros(model, spec):
    """Returns the output of a model in eval mode for one example of zeros.

    Raises:
        InputError: if the model does not accept such examples.
    """
    try:
        return model(mapped(_zeros, spec), training=False)
    except Exception as error:
        raise InputError(
            f"The model does not accept examples of shape {shapes(spec)}: {first_reason(error)}"
        ) from error


def _zeros(spec):
    """Returns one example of zeros, a tensor `(1, ...)`."""
    if spec.dtype == "string":
        return keras.ops.convert_to_tensor(np.full((1, *spec.shape), "", dtype=object))
    return keras.ops.zeros((1, *spec.shape), spec.dtype)


def first_reason(error):
    """Returns an error of a model's call in one line, without the frame that Keras puts around."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:]
    # Keras prints the reason in bold.
    reason = re.sub(r"\x1b\[\d*m", "", lines[0]) if lines else ""
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__
