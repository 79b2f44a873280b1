"""Floating-point operations of a model, counted from the graph of its passes."""

import keras
import tensorflow as tf

from keras_pruning.backend.tensorflow.first_floats import FirstFloats
from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.backend.tensorflow.operations import operations_in
from keras_pruning.examples.array_spec import mapped


def forward_flops(model, spec, batch_size):
    """Returns the floating-point operations of a forward pass in eval mode, for each example.

    A multiplication and an addition count as two operations, so that a dense layer has
    2 · inputs · outputs. `keras_pruning.backend.tensorflow.operations` has the rules. The pass is
    traced for one batch and does not run. Weights, random states and the model stay as they are.

    Args:
        model: Keras model.
        spec: `ArraySpec` of the examples or a structure of them.
        batch_size: number of examples in the batch that is traced. Operations that a batch needs
            once are divided by it.

    Returns:
        Float, or `None` if the graph has operations that cannot be counted, such as loops.
    """
    return _per_example(lambda x: model(x, training=False), spec, batch_size)


def training_flops(model, spec, batch_size):
    """Returns the floating-point operations of a training step, for each example.

    These are the forward pass in train mode, the cross-entropy and its gradient by all trainable
    weights. The update of the weights, a few operations for each weight and batch, penalties on
    weights and augmentation are not counted.

    Args:
        model: Keras model that ends in logits.
        spec, batch_size: as for `forward_flops`.

    Returns:
        As `forward_flops`.
    """
    return _weight_gradient_flops(model, spec, batch_size, training=True)


def weight_gradient_flops(model, spec):
    """Returns the operations of the gradient by all trainable weights of one example, in eval mode.

    Args:
        model: Keras model that ends in logits.
        spec: as for `forward_flops`.

    Returns:
        As `forward_flops`.
    """
    return _weight_gradient_flops(model, spec, 1, training=False)


def input_gradient_flops(model, spec, batch_size):
    """Returns the operations of the gradient of a logit by the input, for each example.

    Args:
        model: Keras model that ends in logits.
        spec, batch_size: as for `forward_flops`.

    Returns:
        As `forward_flops`.
    """

    first_floats = FirstFloats(model, _as_specs(spec, None))
    return _per_example(
        lambda x: first_floats.gradients(x, lambda logits: tf.reduce_sum(logits[:, 0])),
        spec,
        batch_size,
    )


def _weight_gradient_flops(model, spec, batch_size, training):
    """Returns the operations of the gradient of the mean cross-entropy, for each example."""
    weights = [weight.value for weight in model.trainable_weights]

    def gradients(x):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits = model(x, training=training)
            labels = tf.zeros(batch_size, tf.int64)
            loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = tf.reduce_mean(loss)
        # Not the gradients of weights that the loss does not depend on
        parts = [part for part in tape.gradient(loss, weights) if part is not None]
        return loss, parts

    return _per_example(gradients, spec, batch_size)


def _per_example(function, spec, batch_size):
    """Returns the operations of a function of a batch, divided by its size."""

    def stateless(x):
        # Assignments to moving averages and to random states stay in the scope.
        with keras.StatelessScope():
            return function(x)

    try:
        graph, _ = traced(stateless, _as_specs(spec, batch_size))
        return operations_in(graph.graph, graph.outputs) / batch_size
    # The code of a user's model raises errors of any kind. It has trained, so no error is due here.
    except Exception:
        return None


def _as_specs(spec, batch_size):
    """Returns the `tf.TensorSpec` of a batch in the structure of `spec`."""
    return mapped(lambda part: tf.TensorSpec((batch_size, *part.shape), part.dtype), spec)
