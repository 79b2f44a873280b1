"""The norm of each example's gradient by the weights, in the fastest way that is exact."""

import tensorflow as tf

from keras_pruning.backend.tensorflow.weight_gradients.closed_form import closed_form
from keras_pruning.models.layers import inner_layers
from keras_pruning.models.outputs import Outputs

# The largest difference between the closed form and a gradient, relative to its norm, and to the
# largest norm of the batch
_TOLERANCE, _OF_LARGEST = 1e-4, 1e-6
# The same for layers that compute in fewer bits
_COARSE = {"float16": 2e-2, "bfloat16": 5e-2}


def weight_gradient_norms(model, x, labels):
    """Returns the norm of each example's cross-entropy gradient over all trainable weights.

    The closed form takes the examples at once, if all layers have one. The examples of the largest
    and the smallest norm are also taken one by one, and all of the batch if the norms differ: the
    code of a user's model may do what no rule foresees, such as mixing the examples of a batch.

    Args:
        model: Keras model that ends in logits.
        x: tensor `(batch, ...)` or a structure of them.
        labels: integer tensor `(batch,)`.

    Returns:
        Float tensor `(batch,)`.
    """
    one_by_one = norms_one_by_one(model)
    at_once = closed_form(model, x, labels)
    if at_once is None:
        return one_by_one(x, labels)
    norms = at_once(x, labels)
    # The largest norm has the smallest rounding error, and the smallest norm the largest
    rows = tf.stack([find(norms, output_type=tf.int32) for find in (tf.argmax, tf.argmin)])
    taken = tf.nest.map_structure(lambda part: tf.gather(part, rows), x)
    expected = one_by_one(taken, tf.gather(labels, rows))
    allowed = _tolerance(model) * expected + _OF_LARGEST * expected[0]
    agree = tf.reduce_all(tf.abs(tf.gather(norms, rows) - expected) <= allowed)
    agree &= tf.reduce_all(tf.math.is_finite(norms))
    return tf.cond(agree, lambda: norms, lambda: one_by_one(x, labels))


def norms_one_by_one(model):
    """Returns a function that takes one gradient at a time, which is exact for every model.

    `tf.vectorized_map` is no faster here, and takes memory for one copy of the weights for each
    example.

    Args:
        model: Keras model that ends in logits.

    Returns:
        Function of `x` and `labels` to floats `(batch,)`, as in `weight_gradient_norms`.
    """
    weights = [weight.value for weight in model.trainable_weights]

    # Traced once for all calls
    @tf.function(autograph=False)
    def norm(x, label):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            loss = Outputs(model(x, training=False), label).cross_entropy
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        # Dense, because the row of an embedding that is used twice has two parts of one gradient.
        dense = [tf.cast(tf.convert_to_tensor(gradient), "float32") for gradient in gradients]
        return tf.linalg.global_norm(dense)

    def norms(x, labels):
        def of_example(example):
            *parts, label = (part[tf.newaxis] for part in example)
            return norm(tf.nest.pack_sequence_as(x, parts), label)

        examples = (*tf.nest.flatten(x), labels)
        return tf.map_fn(
            of_example, examples, fn_output_signature=tf.float32, parallel_iterations=1
        )

    return norms


def _tolerance(model):
    """Returns the relative tolerance for the coarsest type that a layer computes in."""
    kinds = {getattr(layer, "compute_dtype", None) for layer in inner_layers(model)}
    return max(_TOLERANCE, *(_COARSE.get(kind, 0) for kind in kinds))
