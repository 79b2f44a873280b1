"""Checks, before training, that the loss and the inputs of a model fit the scored examples."""

import warnings

import keras
import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves
from keras_pruning.models.graph import inputs_of, shows_layers
from keras_pruning.models.heads import ending, has_one_logit

_BINARY = (keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy)
_BINARY_FUNCTIONS = (keras.losses.binary_crossentropy, keras.losses.binary_focal_crossentropy)
# The largest number up to which a type of float holds every integer.
_EXACT = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24, "float64": 2**53}


def require_recordable(model):
    """Raises an `InputError` unless a model trains by the training step of Keras.

    Args:
        model: the argument of `ScoreCallback.recording`.
    """
    if not isinstance(model, keras.Model):
        raise InputError(
            f"Invalid `model`. Expected a Keras model. Received: {type(model).__name__}"
        )
    overridden = [
        name
        for name in ("train_step", "compute_loss")
        if getattr(type(model), name) is not getattr(keras.Model, name)
    ]
    if overridden:
        raise InputError(
            "The model has a training step of its own, which recording would replace. Expected "
            f"Keras' own train_step and compute_loss. Received: {type(model).__name__} with "
            f"{' and '.join(overridden)}. Use the callback without `recording`: it sees eval "
            "mode."
        )


def require_one_label(model, logits):
    """Raises an `InputError` if a model is trained to give several labels to an example.

    Args:
        model: compiled Keras model.
        logits: the same model, ending in logits.
    """
    losses = keras.tree.flatten(getattr(model, "loss", None))
    try:
        loss = keras.losses.get(losses[0]) if len(losses) == 1 else None
    except (ValueError, TypeError):  # A loss of the user that Keras does not know
        return
    is_binary = isinstance(loss, _BINARY) or any(loss is function for function in _BINARY_FUNCTIONS)
    # Of a softmax over two classes a binary loss is the categorical one.
    is_softmax = ending(getattr(model, "recorded", model)) in ("softmax", "log_softmax")
    if is_binary and not is_softmax and not has_one_logit(logits):
        raise InputError(
            "Several labels an example are not supported. Expected a softmax or logits with a "
            "categorical cross-entropy, or one output with a binary one. Received: the loss "
            f"{loss.name if isinstance(loss, _BINARY) else loss.__name__} with several outputs. "
            "If each example has one label, train with a categorical cross-entropy."
        )


def warn_of_rounded_integers(model, examples):
    """Warns if the model reads integers as floats that cannot hold them.

    Two ids would become the same number without a word.

    Args:
        model: Keras model. One without a graph decides itself on its numbers.
        examples: scored `Examples`.
    """
    if not shows_layers(model):
        return
    taken, spec = inputs_of(model), examples.spec
    if isinstance(taken, dict) and isinstance(spec, dict) and set(taken) <= set(spec):
        pairs = [(list(spec).index(name), tensor) for name, tensor in taken.items()]
    else:
        pairs = list(enumerate(keras.tree.flatten(taken)))
    stored = leaves(spec)
    limits = {
        place: _EXACT[tensor.dtype]
        for place, tensor in pairs
        if place < len(stored) and _may_exceed(stored[place].dtype, tensor.dtype)
    }
    # Read the examples only if a type allows such numbers
    largest = _largest(examples, limits) if limits else {}
    for place, value in largest.items():
        if value > limits[place]:
            warnings.warn(
                f"The model reads integers as {dict(pairs)[place].dtype}, which rounds those above "
                f"{limits[place]:,}: different numbers become the same. Expected an Input of an "
                f"integer dtype, or smaller numbers. Received: {value:,}. Give "
                'keras.Input(..., dtype="int64"), or number the ids from 0.',
                UserWarning,
                stacklevel=3,
            )


def _may_exceed(stored, taken):
    """Returns whether integers of a dtype may be too large for a dtype of floats."""
    is_integer = np.dtype(object if stored in ("string", "bfloat16") else stored).kind in "iu"
    return is_integer and taken in _EXACT and np.iinfo(stored).max > _EXACT[taken]


def _largest(examples, places):
    """Returns the largest absolute value of some arrays of the inputs, by their places."""
    largest = dict.fromkeys(places, 0)
    for _, x, _ in examples.scoring_batches(1024):
        parts = leaves(x)
        for place in places:
            values = keras.ops.convert_to_numpy(parts[place])
            extremes = (abs(int(values.max())), abs(int(values.min()))) if values.size else (0,)
            largest[place] = max(largest[place], *extremes)
    return largest
