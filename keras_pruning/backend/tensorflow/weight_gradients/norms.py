"""The norm of each example's gradient by the weights."""

import tensorflow as tf

from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.backend.tensorflow.weight_gradients.calls import NoClosedForm, recorded
from keras_pruning.backend.tensorflow.weight_gradients.rules import RULES
from keras_pruning.models.layers import inner_layers
from keras_pruning.models.outputs import Outputs

# Examples are taken in groups that need about this many bytes.
_GROUP_BYTES = 2**28
# The largest difference of the closed form, relative to the norm and to the largest of the batch
_TOLERANCE, _OF_LARGEST = 1e-4, 1e-6
_COARSE = {"float16": 2e-2, "bfloat16": 2e-1}


def weight_gradient_norms(model, x, labels):
    """Returns the norm of each example's cross-entropy gradient over all trainable weights.

    The gradients by the outputs of all layers are taken at once. They give the norm over the
    weights of a layer in closed form, without the gradients of the examples one by one. If one of
    the layers has no known closed form, the graph takes one example at a time, which is exact for
    every model. It also takes two examples of each batch one by one, and all of them if the norms
    differ, because code of a user may do what no closed form allows for.

    Args:
        model: Keras model that ends in logits.
        x: tensor `(batch, ...)` or a structure of them.
        labels: integer tensor `(batch,)`.

    Returns:
        Float tensor `(batch,)`.
    """
    one_by_one = _one_by_one(model)
    closed = _closed_form(model, x, labels)
    if closed is None:
        return one_by_one(x, labels)
    norms = closed(x, labels)
    # The largest norm has the smallest rounding errors, and the first one may be any.
    rows = tf.stack([tf.argmax(norms), 0])
    sure = one_by_one(_rows(x, rows), tf.gather(labels, rows))
    allowed = _tolerance(model) * sure + _OF_LARGEST * sure[0]
    agree = tf.reduce_all(tf.abs(tf.gather(norms, rows) - sure) <= allowed)
    return tf.cond(agree, lambda: norms, lambda: one_by_one(x, labels))


def _one_by_one(model):
    """Returns a function like `weight_gradient_norms` that takes one example at a time.

    `tf.vectorized_map` is no faster here, and takes memory for one copy of the weights for each
    example.
    """
    weights = [weight.value for weight in model.trainable_weights]

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


def _closed_form(model, x, labels):
    """Returns a function like `weight_gradient_norms` by closed forms, `None` if there are none."""
    weights = [weight.value for weight in model.trainable_weights]
    wanted = {id(weight) for weight in model.trainable_weights}
    floats = []

    def norms(x, labels):
        examples = tf.size(labels)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            with recorded(model, RULES, tape, examples) as calls:
                # In eval mode examples do not see each other, so the sum mixes no gradients.
                total = tf.reduce_sum(Outputs(model(x, training=False), labels).cross_entropy)
        outputs = [call.output for call in calls]
        elsewhere, gradients = tape.gradient(total, [weights, outputs])
        if any(part is not None for part in elsewhere) or any(part is None for part in gradients):
            raise NoClosedForm
        floats.append(_floats_in(tf.compat.v1.get_default_graph()))
        parts = _parts(calls, gradients, wanted)
        floats[0] += max((part.floats for part in parts), default=0)
        squares = [part.squared_norms() for part in parts]
        return tf.sqrt(tf.add_n([tf.zeros_like(labels, tf.float32), *squares]))

    specs = tf.nest.map_structure(
        lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype), x
    )
    try:
        graph, _ = traced(norms, specs, tf.TensorSpec((None,), labels.dtype))
    # The code of a user's model raises errors of any kind where its layers are called otherwise.
    except Exception:
        return None
    return lambda x, labels: _in_groups(graph, x, labels, max(1, _GROUP_BYTES // (4 * floats[0])))


def _parts(calls, gradients, wanted):
    """Returns the gradients of all weights, those of several calls of a layer added up.

    Args:
        calls: list of `Call`.
        gradients: list of the gradients by their outputs.
        wanted: set of `id` of the weights.

    Raises:
        NoClosedForm: if a layer has other weights than its rule knows.
    """
    parts = {}
    for call, gradient in zip(calls, gradients, strict=True):
        gradient = tf.convert_to_tensor(gradient)
        known = {
            id(w): part for w, part in RULES[type(call.layer)](call, gradient) if id(w) in wanted
        }
        if not {id(weight) for weight in call.weights} & wanted <= known.keys():
            raise NoClosedForm
        for key, part in known.items():
            parts[key] = parts[key].joined(part) if key in parts else part
    return list(parts.values())


def _floats_in(graph):
    """Returns the number of floats of all tensors in a graph, for each example of a batch."""
    shapes = [tensor.shape for operation in graph.get_operations() for tensor in operation.outputs]
    of_examples = [shape[1:] for shape in shapes if shape.rank and shape[0] is None]
    return sum(shape.num_elements() or 0 for shape in of_examples)


def _in_groups(function, x, labels, size):
    """Returns the results of a function of examples, called with `size` of them at most."""
    count = tf.size(labels)
    groups = -(-count // size)
    # Of equal size, without a small one at the end
    size = -(-count // tf.maximum(groups, 1))

    def step(number, results):
        taken = slice(number * size, (number + 1) * size)
        part = tf.nest.map_structure(lambda tensor: tensor[taken], x)
        return number + 1, results.write(number, function(part, labels[taken]))

    results = tf.TensorArray(tf.float32, groups, infer_shape=False, element_shape=(None,))
    _, results = tf.while_loop(
        lambda number, _: number < groups, step, (0, results), parallel_iterations=1
    )
    norms = results.concat()
    norms.set_shape(labels.shape)
    return norms


def _rows(x, rows):
    return tf.nest.map_structure(lambda part: tf.gather(part, rows), x)


def _tolerance(model):
    """Returns the relative tolerance, larger if a layer computes in fewer bits than float32."""
    kinds = {getattr(layer, "compute_dtype", None) for layer in inner_layers(model)}
    return max(_TOLERANCE, *(_COARSE.get(kind, 0) for kind in kinds))
