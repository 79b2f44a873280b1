"""Checks of the outputs and gradients of a model, made before anything trains or is scored."""

import itertools

import numpy as np
import tensorflow as tf
from keras import ops

from keras_pruning.backend.tensorflow.first_floats import FirstFloats
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped
from keras_pruning.models.heads import ending, has_one_logit
from keras_pruning.models.loading import first_reason

# Examples in a batch, and the number of batches that tell a model without a graph by its outputs.
_BATCH_SIZE, _BATCHES = 32, 8


def require_logits(model, examples):
    """Raises an `InputError` unless `model` gives one logit for each class.

    The graph of the model shows its last activation. The outputs of a model without a graph, or of
    one that ends in another layer, are checked for a few examples instead.

    Args:
        model: Keras model, without the softmax that `as_logits` can remove.
        examples: `Examples`.

    Returns:
        Name of the last activation, `None` if neither the graph nor the outputs tell it.
    """
    activation = ending(model)
    batches = _batches(examples, 1 if activation else _BATCHES)
    outputs = [_outputs(model, x) for x in batches]
    if outputs[0].shape != (_length(batches[0]), examples.num_classes):
        raise InputError(
            f"The model does not fit the examples. Expected outputs of shape (batch, "
            f"{examples.num_classes}), one logit a class. Received: {outputs[0].shape}"
        )
    # Both logits of one output z are ±z / 2, which hides where z lies.
    factor = 2 if has_one_logit(model) else 1
    if not activation:
        values = factor * np.concatenate(outputs)[:, 1 - factor :]
        activation = _activation_by_outputs(model, batches, values, factor)
    if activation in ("sigmoid", "hard_sigmoid"):
        several = (
            "Several labels an example are not supported. If each example has one label, train "
            "with logits or a softmax and a categorical cross-entropy."
        )
        raise InputError(
            "The outputs of the model do not look like logits. Expected the outputs before an "
            "activation such as sigmoid. Received: numbers between 0 and 1 only. "
            f"{'Take the activation off the last layer.' if factor == 2 else several}"
        )
    if activation == "softmax":
        raise InputError(
            "The model ends in a softmax. Expected logits: the outputs before the softmax. "
            "Received: outputs that are probabilities. Take the softmax off the last layer."
        )
    return activation


def require_unshifted_logits(model, examples):
    """Raises an `InputError` unless `model` gives logits, and not their log-softmax.

    A log-softmax subtracts one number from all logits of an example. Probabilities and margins stay
    the same, while distances between examples and the gradients of single logits do not.

    Args:
        model: Keras model, without the softmax that `as_logits` can remove.
        examples: `Examples`.
    """
    if require_logits(model, examples) == "log_softmax":
        raise InputError(
            "The model ends in a log-softmax. Expected logits: the outputs before it. Received: "
            "outputs that are logarithms of probabilities. Take the log-softmax off the last "
            "layer, or leave out the scores that need the logits themselves: vog, prediction_depth."
        )


def require_input_gradients(model, examples):
    """Raises an `InputError` unless `model` gives logits and their gradients by its input.

    Args:
        model: Keras model, without the softmax that `as_logits` can remove.
        examples: `Examples`.

    Returns:
        The `FirstFloats` that the gradients are by.
    """
    require_unshifted_logits(model, examples)
    spec = examples.scoring_batches(_BATCH_SIZE).element_spec[1]
    # Traced only: TensorFlow 2.21 writes beyond its memory if it runs the gradient of some narrow
    # convolutions for one or three examples outside a graph.
    first_floats = FirstFloats(model, spec)
    if not first_floats.exist():
        raise InputError(
            "The model has no gradient by its input. Expected numbers that every layer passes "
            "gradients to, or a layer such as Embedding that turns the input into floats. "
            f"Received: inputs of {_described(examples)} that {type(model).__name__} "
            f"{model.name!r} casts to integers or looks up. Leave out the score `vog`."
        )
    return first_floats


def _outputs(model, x):
    """Returns the outputs of a model for a batch as a float array. Raises if there are several."""
    try:
        outputs = model(x, training=False)
    except Exception as error:  # The code of a user's model raises errors of any kind.
        raise InputError(
            f"The model does not accept the examples. Expected a model of inputs of shape "
            f"{_shapes(x)}. Received: {type(model).__name__} {model.name!r}, which "
            f"raises {first_reason(error)}"
        ) from error
    if isinstance(outputs, dict | list | tuple):
        names = list(outputs) if isinstance(outputs, dict) else f"{len(outputs)} outputs"
        raise InputError(
            "The model does not return one tensor. Expected one output, one logit for each class. "
            f"Received: {names}. Name one of a dictionary by `output`, or wrap the model in one "
            "that returns a single tensor."
        )
    return ops.convert_to_numpy(ops.cast(outputs, "float32"))


def _batches(examples, count):
    """Returns the inputs of the first batches, a list of tensors."""
    return [x for x, _ in itertools.islice(examples.batches(_BATCH_SIZE), count)]


def _activation_by_outputs(model, batches, outputs, factor):
    """Returns the name of the last activation that outputs show, `None` if they may be logits.

    Args:
        model: Keras model.
        batches: list of inputs, tensors `(batch, ...)`.
        outputs: float array `(examples, classes)`, the outputs for all of them.
        factor: 2 if the outputs are the last column of the model's, times 2, otherwise 1.
    """
    between = _all_between(outputs, 0, 1) and outputs.any()
    # Half precision rounds the sum of a row to two digits.
    if between and (abs(outputs.sum(axis=1) - 1) < 1e-2).all():
        return "softmax"
    # The logits of a fresh model may lie in [0, 1] too. Those of large inputs do not.
    if between:
        try:
            larger = [_outputs(model, mapped(_enlarged, x))[:, 1 - factor :] for x in batches]
            between = all(_all_between(factor * values, 0, 1) for values in larger)
        except InputError:  # Numbers of tokens are no longer in the vocabulary.
            return None
    if between:
        return "sigmoid"
    logarithms = _all_between(outputs, -np.inf, 0) and outputs.any()
    if logarithms and (abs(np.exp(outputs).sum(axis=1) - 1) < 1e-2).all():
        return "log_softmax"
    return None


def _enlarged(x):
    """Returns numbers that are a thousand times as large, and others as they are."""
    return x * 1000 if x.dtype.is_floating or x.dtype in (tf.int32, tf.int64) else x


def _length(x):
    """Returns the number of examples in a batch of inputs."""
    return len(leaves(x)[0])


def _described(examples):
    """Returns shape and dtype of each array of the examples, as text."""
    return mapped(lambda part: f"{part.dtype} {part.shape}", examples.spec)


def _shapes(x):
    return mapped(lambda part: (None, *part.shape[1:]), x)


def _all_between(values, low, high):
    """Returns whether all finite values are in a range, and there are some."""
    values = values[np.isfinite(values)]
    return values.size > 0 and bool(((values >= low) & (values <= high)).all())
