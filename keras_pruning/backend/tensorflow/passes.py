"""What one pass over a model gives, by row: outputs, gradients of inputs and of weights.

This file and `row_store.py` are all of the scores that depends on the backend.
"""

from functools import partial

import keras
import tensorflow as tf
from keras import ops

from keras_pruning.backend.tensorflow.row_store import RowStore
from keras_pruning.errors import InputError
from keras_pruning.models.graph import require_penultimate, with_penultimate
from keras_pruning.models.outputs import EvalOutputs, Outputs


class OutputPass:
    """A pass over all examples, in order, inside one graph; call it as often as the model changes.

    Args:
        model: Keras model that ends in logits.
        examples: `Examples`.
        observers: dictionary of functions from `EvalOutputs` to a float tensor `(batch, ...)`.
        batch_size: examples a batch; results do not depend on it beyond float rounding.
        needs_penultimate: whether an observer looks at the input of the last layer.

    Raises:
        InputError: if the model does not end in logits, or does not show that if it is needed.
    """

    def __init__(self, model, examples, observers, batch_size, needs_penultimate=False):
        batches = examples.scoring_batches(batch_size)
        if needs_penultimate:
            require_penultimate(model)
            show = with_penultimate(model)
        else:
            show = partial(_without_penultimate, model)

        def observe(x, labels):
            logits, penultimate = show(x)
            norms = partial(weight_gradient_norms, model, x, labels)
            outputs = EvalOutputs(logits, labels, penultimate, norms)
            return {name: observer(outputs) for name, observer in observers.items()}

        require_logits(model, examples)
        observed = tf.function(observe).get_concrete_function(*batches.element_spec[1:])
        self._results = RowStore(len(examples), observed.structured_outputs)

        @tf.function
        def run():
            for_each(batches, lambda rows, x, labels: self._results.write(rows, observe(x, labels)))

        # Concrete, or TensorFlow warns of "retracing" when several passes are made.
        self._run = run.get_concrete_function()

    def __call__(self):
        """Returns a dictionary of arrays `(examples, ...)`, in the order of the examples."""
        self._run()
        return self._results.read()


def _without_penultimate(model, x):
    return model(x, training=False), None


def for_each(batches, function):
    """Calls a function with each batch, in order, inside a graph.

    Not by a Python loop: AutoGraph makes a graph of one only if it can read the source, and traces
    without end if it cannot.

    Args:
        batches: finite `tf.data.Dataset` of tuples.
        function: is called with the parts of a batch, for its effects.
    """
    iterator = iter(batches)

    def step(number):
        function(*next(iterator))
        return (number + 1,)

    end = batches.cardinality()
    tf.while_loop(lambda number: number < end, step, [tf.zeros_like(end)], parallel_iterations=1)


def weight_gradient_norms(model, x, labels):
    """The norm of each example's own cross-entropy gradient over all trainable weights.

    One example at a time, inside the graph: exact for every model, and as fast here as
    `tf.vectorized_map`, which takes memory for as many copies of the weights as it has examples.

    Args:
        model: Keras model that ends in logits.
        x: float tensor `(batch, ...)`.
        labels: integer tensor `(batch,)`.

    Returns:
        Float tensor `(batch,)`.
    """
    weights = [weight.value for weight in model.trainable_weights]

    def norm(example):
        x, label = example
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits = model(x[tf.newaxis], training=False)
            loss = Outputs(logits, label[tf.newaxis]).cross_entropy
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        # Dense, because an embedding's row that is used twice has two parts of one gradient.
        dense = [tf.cast(tf.convert_to_tensor(each), "float32") for each in gradients]
        return tf.linalg.global_norm(dense)

    return tf.map_fn(norm, (x, labels), fn_output_signature=tf.float32, parallel_iterations=1)


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
    results = RowStore(len(examples), {name: tf.TensorSpec((None,)) for name in observers})

    def observe(rows, x, labels):
        gradients = tf.map_fn(
            lambda weights: input_gradients(model, weights, x, labels),
            stacked,
            parallel_iterations=1,
            fn_output_signature=tf.TensorSpec(x.shape, x.dtype),
        )
        results.write(rows, {name: observer(gradients) for name, observer in observers.items()})

    require_logits(model, examples)
    tf.function(lambda: for_each(batches, observe)).get_concrete_function()()
    return results.read()


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
