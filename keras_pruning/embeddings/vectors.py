"""Graphs from a batch of inputs to one vector for each example and layer."""

import numpy as np
import tensorflow as tf
from keras import ops

from keras_pruning.backend.tensorflow.first_floats import FirstFloats
from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.embeddings.random_projection import random_projection
from keras_pruning.embeddings.requests import INPUT, OUTPUT, SOFTMAX
from keras_pruning.errors import InputError
from keras_pruning.models.layers import no_vector, show


def extractor(model, requests, spec):
    """Returns a graph from a batch to its vectors and whether they and the outputs are finite."""
    special = (INPUT, OUTPUT, SOFTMAX)
    needs_input = any(request.layer == INPUT for request in requests)
    inputs_of = _input_vectors(model, spec) if needs_input else None
    shown = show(model, list({item.layer for item in requests if item.layer not in special}))

    def extract(x):
        # Run the model once for all layers.
        outputs, hidden = shown(x)
        values = {OUTPUT: outputs, **hidden}
        if needs_input:
            values[INPUT] = inputs_of(x)
        if any(request.layer == SOFTMAX for request in requests):
            values[SOFTMAX] = ops.softmax(ops.cast(outputs, "float32"))
        vectors = [as_vectors(values[request.layer], request) for request in requests]
        # Check the outputs too: a model that diverged may have finite layers.
        checked = [ops.cast(outputs, "float32"), *vectors]
        finite = [ops.all(ops.isfinite(values)) for values in checked]
        return vectors, ops.all(ops.stack(finite))

    return traced(extract, spec)


def _input_vectors(model, spec):
    """Returns a function from the inputs of a batch to a float tensor that stands for them.

    Tokens, strings and several arrays have no distance. The floats that the model makes of them
    stand for them.

    Args:
        model: Keras model.
        spec: structure of the `tf.TensorSpec` of a batch of inputs.
    """
    if isinstance(spec, tf.TensorSpec) and spec.dtype.is_floating:
        return lambda x: x
    first_floats = FirstFloats(model, spec)
    if not first_floats.exist():
        raise InputError(
            "The input has no vectors to compare. Expected numbers, or a layer such as Embedding "
            f"that turns the input into floats. Received: {type(model).__name__} {model.name!r}, "
            "which shows no such layer. Leave out `prediction_depth`, or embed the examples first."
        )
    if first_floats.are_the_input():
        # A dictionary of one array is that array.
        return lambda x: tf.nest.flatten(x)[0]
    return first_floats.values


def as_vectors(values, request):
    """Returns a tensor `(batch, ...)` as float32 `(batch, dimensions)`, reduced if requested."""
    if None in values.shape[1:]:
        raise no_vector(request.layer, f"an output of shape {values.shape}")
    dimensions = int(np.prod(values.shape[1:]))
    # Cast first: half precision would tie whole classes after a softmax.
    vectors = ops.cast(ops.reshape(values, (-1, dimensions)), "float32")
    if request.max_dimension is None or dimensions <= request.max_dimension:
        return vectors
    return random_projection(vectors, request.max_dimension, request.seed)
