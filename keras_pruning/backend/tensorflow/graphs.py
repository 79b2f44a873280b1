"""Functions as TensorFlow graphs."""

import tensorflow as tf


def traced(function, *specs):
    """Traces a function once, for inputs of one kind.

    Errors that `function` raises while it is traced reach the caller unchanged.

    Args:
        function: function of tensors.
        *specs: `tf.TensorSpec` of each argument.

    Returns:
        Tuple of the graph, which is called like `function`, and the `tf.TensorSpec` of its results,
        in the same structure.
    """
    # Without AutoGraph, which would wrap every `InputError` in an error of its own.
    graph = tf.function(function, autograph=False).get_concrete_function(*specs)
    return graph, graph.structured_outputs
