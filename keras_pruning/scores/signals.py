"""What one pass over a model gives: outputs and input gradients, by row, in eval mode.

This is the only file of the scores that depends on the backend.
"""

from functools import cached_property

import keras
import tensorflow as tf
from keras import ops

from keras_pruning.errors import InputError


class Outputs:
    """What a model says about a batch.

    Args:
        logits: float tensor `(batch, classes)`.
        labels: integer tensor `(batch,)`.
    """

    def __init__(self, logits, labels):
        self.logits = ops.cast(logits, "float32")
        self.labels = labels

    @cached_property
    def probabilities(self):
        """Softmax of the logits, `(batch, classes)`."""
        return ops.softmax(self.logits)

    @cached_property
    def correct(self):
        """1.0 where the largest logit is the label's, else 0.0, `(batch,)`."""
        predicted = ops.cast(ops.argmax(self.logits, axis=-1), self.labels.dtype)
        return ops.cast(ops.equal(predicted, self.labels), "float32")

    @cached_property
    def cross_entropy(self):
        """Cross-entropy with the label, in nats, `(batch,)`."""
        return keras.losses.sparse_categorical_crossentropy(
            self.labels, self.logits, from_logits=True
        )


class OutputPass:
    """A pass over all examples, in order, inside one graph; call it as often as the model changes.

    Args:
        model: Keras model that ends in logits.
        examples: `Examples`.
        observers: dictionary of functions from `Outputs` to a float tensor `(batch, ...)`.
        batch_size: examples a batch; results do not depend on it beyond float rounding.
    """

    def __init__(self, model, examples, observers, batch_size):
        batches = examples.scoring_batches(batch_size)

        def observe(x, labels):
            outputs = Outputs(model(x, training=False), labels)
            return {name: observer(outputs) for name, observer in observers.items()}

        require_logits(model, examples)
        observed = tf.function(observe).get_concrete_function(*batches.element_spec[1:])
        self.results = {
            name: tf.Variable(tf.zeros((len(examples), *spec.shape[1:]), spec.dtype))
            for name, spec in observed.structured_outputs.items()
        }

        @tf.function
        def run():
            for rows, x, labels in batches:
                for name, values in observe(x, labels).items():
                    self.results[name].scatter_nd_update(rows[:, tf.newaxis], values)

        # Concrete, or TensorFlow warns of "retracing" when several passes are made.
        self._run = run.get_concrete_function()

    def __call__(self):
        """Returns a dictionary of arrays `(examples, ...)`, in the order of the examples."""
        self._run()
        return {name: result.numpy() for name, result in self.results.items()}


def input_gradients(model, weights, x, labels):
    """The gradient of each example's true-class logit with respect to its input.

    Args:
        model: Keras model that ends in logits.
        weights: list of values for `model.weights`.
        x: float tensor `(batch, ...)`.
        labels: integer tensor `(batch,)`.

    Returns:
        Float tensor of the shape of `x`.
    """
    state = keras.StatelessScope(state_mapping=list(zip(model.weights, weights, strict=True)))
    with tf.GradientTape() as tape, state:
        tape.watch(x)
        logits = model(x, training=False)
        # In eval mode no example sees another, so the gradient of the sum is each one's own.
        true_class = tf.reduce_sum(tf.gather(logits, labels, axis=1, batch_dims=1))
    return tape.gradient(true_class, x)


def observe_input_gradients(model, checkpoints, examples, observers, batch_size):
    """One pass over the data for the input gradients of all checkpoints, side by side.

    Memory is O(batch · checkpoints) besides the weights, whatever the number of examples.

    Args:
        model: Keras model that ends in logits.
        checkpoints: list of K lists of weights, as `weights_of` gives them.
        examples: `Examples`.
        observers: dictionary of functions from gradients `(K, batch, ...)` to `(batch,)`.
        batch_size: examples a batch.

    Returns:
        Dictionary of arrays `(examples,)`.
    """
    stacked = tf.nest.map_structure(lambda *values: tf.stack(values), *checkpoints)
    batches = examples.scoring_batches(batch_size)
    results = {name: tf.Variable(tf.zeros(len(examples))) for name in observers}

    @tf.function
    def run():
        for rows, x, labels in batches:
            gradients = tf.map_fn(
                lambda weights: input_gradients(model, weights, x, labels),  # noqa: B023
                stacked,
                parallel_iterations=1,
                fn_output_signature=tf.TensorSpec(x.shape, x.dtype),
            )
            for name, observer in observers.items():
                results[name].scatter_nd_update(rows[:, tf.newaxis], observer(gradients))

    require_logits(model, examples)
    run.get_concrete_function()()
    return {name: result.numpy() for name, result in results.items()}


def weights_of(model):
    """A copy of the model's weights, a list of arrays in the order of `model.weights`."""
    return [ops.convert_to_numpy(weight).copy() for weight in model.weights]


def require_logits(model, examples):
    """Raises an `InputError` unless `model` gives one logit a class for a few `examples`."""
    x, _ = next(iter(examples.batches(32)))
    outputs = ops.convert_to_numpy(model(x, training=False))
    if outputs.ndim != 2 or outputs.shape[1] != examples.num_classes:
        raise InputError(
            f"The model does not fit the examples. Expected outputs of shape (batch, "
            f"{examples.num_classes}), one logit a class. Received: {outputs.shape}"
        )
    between = (outputs >= 0).all() and (outputs <= 1).all() and outputs.any()
    if between and (abs(outputs.sum(axis=1) - 1) > 1e-3).any():
        raise InputError(
            "The model gives numbers between 0 and 1 only. Expected logits: the outputs before an "
            "activation such as sigmoid. Take the activation off the last layer."
        )
    if between:
        raise InputError(
            "The model ends in a softmax. Expected logits: the outputs before the softmax. "
            "Received: outputs that are probabilities. Take the softmax off the last layer."
        )
