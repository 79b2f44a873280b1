"""Builds a model by its name, loads `.keras` files and checks that a model fits the examples."""

import importlib
import traceback
import zipfile
from pathlib import Path

import keras

from keras_pruning.errors import InputError, unknown
from keras_pruning.models.networks import MODELS
from keras_pruning.recipes import working_folder_importable


def build(name, input_shape, num_classes, **options):
    """A freshly initialised model with one output for each class.

    Args:
        name: `"mlp"`, `"cnn"`, `"plain_cnn"`, `"resnet18"`; or `"package.module:function"`, which
            is called as `function(input_shape, num_classes, **options)` and returns a Keras model;
            or the path of a `.keras` file, whose architecture is used with new weights.
        input_shape: shape of one example.
        num_classes: number of classes.
        **options: passed on, for example `width`.

    Raises:
        InputError: if there is no such model, or it does not fit the examples.
    """
    if name.endswith(".keras"):
        if options:
            raise InputError(
                f"The model of a .keras file takes no options. Received: {options} for {name}"
            )
        model = keras.models.clone_model(load(name))
    else:
        function = MODELS.get(name) or _imported(name)
        try:
            model = function(tuple(input_shape), num_classes, **options)
        except InputError:
            raise
        except Exception as error:  # a user's function raises anything
            raise InputError(f"Cannot build the model {name!r}: {_reason(error)}") from error
    require_fit(model, input_shape, num_classes)
    return model


def load(path):
    """The model in a `.keras` file, loaded in safe mode.

    Raises:
        InputError: if the file is missing or cannot be loaded.
    """
    if not Path(path).is_file():
        raise InputError(f"Missing model file. Expected a .keras file. Received: {path}")
    if not zipfile.is_zipfile(path):
        raise InputError(f"Cannot load the model {path}. Expected a .keras file. It is damaged.")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        # Keras puts pages of configuration around what went wrong.
        reason = str(error).strip().rpartition("Exception encountered: ")[2].splitlines()[0]
        reason = reason.partition("Full object config")[0].strip()
        raise InputError(f"Cannot load the model {path}: {reason}") from error


def _imported(name):
    module_name, _, function = name.partition(":")
    if not (module_name and function):
        raise unknown("model", name, [*MODELS, "package.module:function", "FILE.keras"])
    try:
        with working_folder_importable():
            return getattr(importlib.import_module(module_name), function)
    except Exception as error:  # the module's own code raises anything
        raise InputError(
            "Cannot import the model. Expected an importable package.module:function. "
            f"Received: {name!r} ({_reason(error)})"
        ) from error


def _reason(error):
    """An error in one line, with the place in the code that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text} ({frame.filename}:{frame.lineno})"


def require_fit(model, input_shape, num_classes):
    """Raises an `InputError` unless `model` maps such examples to `num_classes` outputs."""
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected a Keras model. Received: {type(model).__name__}")
    output = output_for_zeros(model, input_shape)
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape) != (1, num_classes):
        received = f"{len(output)} outputs" if shape is None else (None, *shape[1:])
        raise InputError(
            "The model does not fit the examples. "
            f"Expected one output of shape (None, {num_classes}), one logit a class. "
            f"Received: {received}"
        )


def output_for_zeros(model, input_shape):
    """What a model gives, in eval mode, for one example of zeros.

    Raises:
        InputError: if it does not take examples of that shape.
    """
    try:
        return model(keras.ops.zeros((1, *input_shape)), training=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"The model does not take the examples, of shape {tuple(input_shape)}: {reason}"
        ) from error
