"""Reads the inputs that a user has in memory: arrays, memory maps, strings and nested ones."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import Inputs, array_of, copied, require_unmasked
from keras_pruning.examples.nested_inputs import NestedInputs
from keras_pruning.examples.texts import Texts, are_texts


@dataclass(frozen=True)
class Taken:
    """An array that nobody else has, so that `given_inputs` does not copy it.

    Args:
        array: array or `numpy.memmap`.
    """

    array: np.ndarray


def given_inputs(x, count, scale=None):
    """Returns the inputs of `x`, as the `fit` of Keras takes it.

    Arrays are copied once, except for those in a `Taken`. Memory maps stay on disk.

    Args:
        x: array, `Taken`, list of numbers or strings, or a dictionary, tuple or list of them.
        count: number of labels. It tells a list of examples from a list of arrays.
        scale: positive number that numbers are multiplied by, or `None`.

    Raises:
        InputError: if `x` or an array in it cannot be taken.
    """
    return _read(x, count, scale, "x")


def _read(x, count, scale, name):
    require_unmasked(name, x)
    if isinstance(x, dict):
        return NestedInputs(
            {key: _read(part, count, scale, f"{name}[{key!r}]") for key, part in x.items()}
        )
    if isinstance(x, tuple) or (isinstance(x, list) and _are_arrays(x, count)):
        parts = [_read(part, count, scale, f"{name}[{key}]") for key, part in enumerate(x)]
        # As `tf.data` and the `fit` of Keras have lists.
        return NestedInputs(tuple(parts))
    if isinstance(x, np.memmap):
        return Inputs(x, scale, name)
    is_taken = isinstance(x, Taken)
    array = x.array if is_taken else _array(x, name)
    if are_texts(array):
        return Texts(array, name)
    return Inputs(array if is_taken else copied(array, name), scale, name)


def _are_arrays(parts, count):
    """Returns whether a list holds arrays of `count` examples, not one array for each example."""
    are_arrays = all(hasattr(part, "shape") and len(part.shape) > 0 for part in parts)
    return are_arrays and len(parts) > 0 and all(len(part) == count for part in parts)


def _array(x, name):
    """Returns `x` as an array."""
    if isinstance(x, str | bytes):
        raise InputError(
            f"Invalid `{name}`. Expected one array or list, with an entry for each example. "
            f"Received: {x[:40]!r}"
        )
    try:
        return array_of(x)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Invalid `{name}`. Expected one array of shape (N, ...). "
            f"Received: a {type(x).__name__} that is none ({error})"
        ) from error
