"""The loss of each example of a batch, by the loss that a model is compiled with."""

import keras
import numpy as np
from keras import ops

from keras_pruning.errors import InputError

_SHORT = ("crossentropy", "ce")


def example_losses(loss, y, y_pred):
    """Returns the loss of each example before it is weighted or averaged, float32 `(batch,)`.

    Regularisation is no part of it.

    Args:
        loss: the `loss` of a compiled model: a `keras.losses.Loss`, a function or a name, or a list
            or dictionary of one.
        y: labels `(batch, ...)`.
        y_pred: outputs `(batch, ...)`.

    Raises:
        InputError: if the loss does not give a number for each example.
    """
    (y_pred,) = keras.tree.flatten(y_pred)
    y_pred = ops.cast(y_pred, "float32")
    function = _function(loss, y, y_pred)
    y = ops.cast(y, "float32")
    # A column of outputs belongs to flat labels, which would be spread over the whole batch
    if len(y.shape) + 1 == len(y_pred.shape) and y_pred.shape[-1] == 1:
        y = ops.expand_dims(y, -1)
    losses = function(y, y_pred)
    if len(losses.shape) == 0:
        raise InputError(
            "The loss is a single number for the whole batch. Expected a loss that gives one for "
            f"each example. Received: {loss!r}. Choose loss='batch', which records the mean loss "
            "of the batch instead."
        )
    losses = ops.cast(losses, "float32")
    axes = tuple(range(1, len(losses.shape)))
    return ops.mean(losses, axis=axes) if axes else losses


def class_numbers(y):
    """Returns the numbers of the classes, integers `(batch,)`.

    Args:
        y: labels `(batch,)`, `(batch, 1)` or one-hot `(batch, classes)`.
    """
    if len(y.shape) > 1 and y.shape[-1] != 1:
        return ops.cast(ops.argmax(y, axis=-1), "int32")
    return ops.cast(ops.round(ops.cast(ops.reshape(y, (-1,)), "float32")), "int32")


def checked_class_weights(weights):
    """Returns the `class_weight` of a fit as a dictionary, or `None` if there are none.

    Raises:
        InputError: if they are not finite numbers of at least 0 by the number of a class.
    """
    if weights is None or (isinstance(weights, dict) and not weights):
        return None
    is_valid = isinstance(weights, dict) and all(
        _is_number(number, "iu") and _is_number(weight, "iuf") and 0 <= weight < np.inf
        for number, weight in weights.items()
    )
    if not is_valid or min(weights) < 0:
        raise InputError(
            "Invalid `class_weight`. Expected a dictionary from numbers of classes, integers of at "
            f"least 0, to finite weights of at least 0. Received: {weights}"
        )
    return weights


def _is_number(value, kinds):
    array = np.asarray(value)
    return array.ndim == 0 and array.dtype.kind in kinds


def weights_of_classes(weights, y):
    """Returns the weight of each label, as `class_weight` of `fit` gives it.

    Args:
        weights: dictionary from numbers of classes to weights, 1 for those that are left out.
        y: labels `(batch,)`, `(batch, 1)` or one-hot `(batch, classes)`.

    Raises:
        InputError: if there are labels of several outputs.
    """
    if keras.tree.is_nested(y):
        raise InputError(
            "`class_weight` is not known for several outputs. Expected one output. Received: "
            f"{len(keras.tree.flatten(y))} arrays of labels. Give `sample_weight` to `batches` "
            "instead."
        )
    known = np.ones(max(weights) + 1, np.float32)
    known[list(weights)] = list(weights.values())
    numbers = class_numbers(y)
    inside = ops.minimum(numbers, len(known) - 1)
    return ops.where(numbers == inside, ops.take(ops.convert_to_tensor(known), inside), 1.0)


def _function(loss, y, y_pred):
    """Returns the function of labels and outputs that a compiled loss averages."""
    (loss,) = keras.tree.flatten(loss)
    if isinstance(loss, str) and loss in _SHORT:
        # As Keras reads them
        is_binary = y_pred.shape[-1] == 1
        is_one_hot = len(y.shape) == len(y_pred.shape) and y.shape[-1] != 1
        kind = "categorical" if is_one_hot else "sparse_categorical"
        loss = f"{'binary' if is_binary else kind}_crossentropy"
    loss = keras.losses.get(loss)
    return loss.call if isinstance(loss, keras.losses.Loss) else loss
