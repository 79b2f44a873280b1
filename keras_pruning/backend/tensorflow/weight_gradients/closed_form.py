"""The norms of weight gradients in closed form, for the examples of a batch at once."""

import logging

import tensorflow as tf

from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.backend.tensorflow.weight_gradients.calls import NoClosedForm, recorded
from keras_pruning.backend.tensorflow.weight_gradients.rules import RULES
from keras_pruning.models.outputs import Outputs

logger = logging.getLogger("keras_pruning")
# Examples are taken in groups that need about this many bytes.
_GROUP_BYTES = 2**28


def closed_form(model, x, labels, group_bytes=_GROUP_BYTES):
    """Returns a function that computes `weight_gradient_norms` without a gradient per example.

    One backward pass gives the gradients by the outputs of all layers. The gradient by the weights
    of a layer follows from them and the inputs of the layer.

    Args:
        model: Keras model that ends in logits.
        x: tensor `(batch, ...)` or a structure of them, for their shapes and dtypes.
        labels: integer tensor `(batch,)`, for its dtype.
        group_bytes: memory for the examples that are taken at once, about.

    Returns:
        Function of `x` and `labels` to floats `(batch,)`, or `None` if a weight belongs to a layer
        without a rule, or is used outside of its layer.
    """
    weights = model.trainable_weights
    floats = []

    def norms(x, labels):
        calls, gradients = _recorded_pass(model, x, labels)
        needed = _floats_in(tf.compat.v1.get_default_graph())
        parts = _parts(calls, gradients, {id(weight) for weight in weights})
        floats.append(needed + max((part.floats for part in parts), default=0))
        squares = [part.squared_norms() for part in parts]
        return tf.sqrt(tf.add_n([tf.zeros_like(labels, tf.float32), *squares]))

    try:
        specs = tf.nest.map_structure(_any_batch, (x, labels))
        graph, _ = traced(norms, *specs)
    # The code of a user's model raises errors of any kind if its layers are called otherwise.
    except Exception as error:
        logger.info("GraNd takes one gradient at a time, which is slow: %s", _reason(error))
        return None
    size = max(1, group_bytes // (4 * floats[-1]))
    return lambda x, labels: _in_groups(graph, x, labels, size)


def _reason(error):
    """Returns why a model has no closed form."""
    if not isinstance(error, NoClosedForm):
        return f"{type(error).__name__} in a layer."
    # Keras has put a text of its own into an error that passes through a layer
    given = str(error).startswith("a weight")
    return str(error) if given else "a layer of unknown or unusual shapes, or in a loop."


def _any_batch(tensor):
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _recorded_pass(model, x, labels):
    """Returns the calls of all layers with a rule, and the gradients of the loss by their outputs.

    Raises:
        NoClosedForm: if the loss depends on a weight in another way than by these calls.
    """
    weights = [weight.value for weight in model.trainable_weights]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        with recorded(model, RULES, tape, tf.size(labels)) as calls:
            # In eval mode examples do not see each other, so the sum mixes no gradients.
            total = tf.reduce_sum(Outputs(model(x, training=False), labels).cross_entropy)
    outputs = [call.output for call in calls]
    elsewhere, gradients = tape.gradient(total, [weights, outputs])
    if any(part is not None for part in elsewhere) or any(part is None for part in gradients):
        raise NoClosedForm("a weight is used outside of the layers that have a closed form.")
    return calls, [tf.convert_to_tensor(gradient) for gradient in gradients]


def _parts(calls, gradients, trainable):
    """Returns the gradients of all weights, with those of several calls of a layer added up.

    Args:
        calls: list of `Call`.
        gradients: list of the gradients by their outputs.
        trainable: set of the `id` of each trainable weight of the model.

    Raises:
        NoClosedForm: if a layer has a weight that its rule does not know.
    """
    parts = {}
    for call, gradient in zip(calls, gradients, strict=True):
        of_call = RULES[type(call.layer)](call, gradient)
        known = {id(weight): part for weight, part in of_call if id(weight) in trainable}
        if not {id(weight) for weight in call.weights} & trainable <= known.keys():
            raise NoClosedForm(f"a weight of the layer {call.layer.name} has no closed form.")
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
