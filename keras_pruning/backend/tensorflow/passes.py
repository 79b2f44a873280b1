"""Passes over all examples: outputs, input gradients and norms of weight gradients, by row.

Together with `row_store.py` this is the only code of the scores that depends on the backend.
"""

from functools import partial

import keras
import tensorflow as tf
from keras import ops

from keras_pruning.backend.tensorflow.requirements import require_input_gradients, require_logits
from keras_pruning.backend.tensorflow.row_store import RowStore
from keras_pruning.backend.tensorflow.weight_gradients.norms import weight_gradient_norms
from keras_pruning.models.heads import require_penultimate, with_penultimate
from keras_pruning.models.outputs import EvalOutputs


class OutputPass:
    """A pass over all examples, in order, inside one graph.

    The graph reads the weights of the model anew whenever the pass is called.

    Args:
        model: Keras model that ends in logits.
        examples: `Examples`.
        observers: dictionary of functions from `EvalOutputs` to a float tensor `(batch, ...)`.
        batch_size: examples a batch. Results do not depend on it beyond float rounding.
        needs_penultimate: whether an observer looks at the input of the last layer.

    Attributes:
        observes_outputs: whether a pass runs the model on all examples.
        observes_gradients: whether it takes the gradient of each example by the weights.

    Raises:
        InputError: if the model does not end in logits, or does not show the input of its last
            layer although it is needed.
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
            asked = []

            def norms():
                asked.append("norms")
                return weight_gradient_norms(model, x, labels)

            outputs = EvalOutputs(logits, labels, penultimate, norms)
            observed = {name: observer(outputs) for name, observer in observers.items()}
            # TensorFlow leaves out the outputs if nobody but the norms is asked for.
            self.observes_gradients = bool(asked)
            self.observes_outputs = len(asked) < len(observers)
            return observed

        require_logits(model, examples)
        # Trace one batch, for the shapes and dtypes of the results
        observed = tf.function(observe).get_concrete_function(*batches.element_spec[1:])
        self._results = RowStore(len(examples), observed.structured_outputs)

        @tf.function
        def run():
            for_each(batches, lambda rows, x, labels: self._results.write(rows, observe(x, labels)))

        # A concrete function, because TensorFlow warns of retracing if several passes are made.
        self._run = run.get_concrete_function()

    def __call__(self):
        """Returns a `RowStore` of the results, which the next pass overwrites."""
        self._run()
        return self._results


def _without_penultimate(model, x):
    return model(x, training=False), None


def for_each(batches, function):
    """Calls a function with each batch, in order, inside a graph.

    Args:
        batches: finite `tf.data.Dataset` of tuples.
        function: function of the parts of a batch, called for its effects.
    """
    # No Python loop: AutoGraph needs its source, and traces without end if there is none.
    iterator = iter(batches)

    def step(number):
        function(*next(iterator))
        return (number + 1,)

    end = batches.cardinality()
    tf.while_loop(lambda number: number < end, step, [tf.zeros_like(end)], parallel_iterations=1)


def input_gradients(model, weights, x, labels, first_floats):
    """Returns the gradient of each example's true-class logit with respect to its input.

    Args:
        model: Keras model that ends in logits.
        weights: list of values for `model.weights`.
        x: tensor `(batch, ...)` or a structure of them.
        labels: integer tensor `(batch,)`.
        first_floats: `FirstFloats` of the model.

    Returns:
        Float tensor of the shape of `x`, or float32 `(batch, entries)` by the first floats that the
        model makes of `x`.
    """
    state = keras.StatelessScope(state_mapping=list(zip(model.weights, weights, strict=True)))
    with state:
        # In eval mode examples do not see each other, so the sum mixes no gradients.
        return first_floats.gradients(
            x, lambda logits: tf.reduce_sum(tf.gather(logits, labels, axis=1, batch_dims=1))
        )


def observe_input_gradients(model, checkpoints, examples, observers, batch_size):
    """Observes the input gradients of all checkpoints in one pass over the data.

    Memory is O(batch · checkpoints) besides the weights, for any number of examples.

    Args:
        model: Keras model that ends in logits.
        checkpoints: list of K lists of weights, as `weights_of` gives them.
        examples: `Examples`.
        observers: dictionary of functions from gradients `(K, batch, ...)` to `(batch,)`.
        batch_size: examples a batch.

    Returns:
        Dictionary of arrays `(examples,)`.

    Raises:
        InputError: if the model does not end in logits or has no input gradients.
    """
    # One more axis on every weight, to map over the checkpoints inside the graph
    stacked = tf.nest.map_structure(lambda *values: tf.stack(values), *checkpoints)
    batches = examples.scoring_batches(batch_size)
    results = RowStore(len(examples), {name: tf.TensorSpec((None,)) for name in observers})

    def observe(rows, x, labels):
        shape = tf.nest.flatten(x)[0].shape if first_floats.are_the_input() else (None, None)
        gradients = tf.map_fn(
            lambda weights: input_gradients(model, weights, x, labels, first_floats),
            stacked,
            parallel_iterations=1,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )
        results.write(rows, {name: observer(gradients) for name, observer in observers.items()})

    first_floats = require_input_gradients(model, examples)
    tf.function(lambda: for_each(batches, observe)).get_concrete_function()()
    return results.read()


def weights_of(model):
    """Returns a copy of the weights, a list of arrays in the order of `model.weights`."""
    return [ops.convert_to_numpy(weight).copy() for weight in model.weights]
