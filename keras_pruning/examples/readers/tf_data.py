"""`tf.data.Dataset`, batched or not."""

import math

import numpy as np

from keras_pruning.errors import InputError


def matches(dataset):
    """Returns whether a data set is a `tf.data.Dataset`."""
    modules = [kind.__module__ for kind in type(dataset).__mro__ if kind.__name__ == "DatasetV2"]
    return any(module.startswith("tensorflow.") for module in modules)


def elements(dataset):
    """Yields the elements as NumPy arrays."""
    import tensorflow as tf

    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError(
            "The data set never ends. Expected a finite one. Received: a `tf.data.Dataset` of "
            "infinite cardinality. Leave out `repeat()`."
        )
    yield from dataset.as_numpy_iterator()


def class_names(dataset):
    """Returns the names of the classes, as `image_dataset_from_directory` has them, or `None`."""
    return getattr(dataset, "class_names", None)


def keep(dataset, mask, is_batched):
    """Returns the elements of the examples that a mask keeps, in batches of the same size.

    Args:
        dataset: `tf.data.Dataset`.
        mask: booleans `(examples,)`.
        is_batched: whether an element is a batch.
    """
    import tensorflow as tf

    examples, size = dataset, None
    if is_batched:
        size = len(tf.nest.flatten(next(iter(dataset)))[0])
        examples = dataset.unbatch()
    kept = tf.constant(mask)
    # Positions first, so that everything that follows sees only the kept examples.
    numbered = examples.enumerate()
    checked = numbered.map(lambda row, *element: (_checked(row, len(mask)), *element))
    chosen = checked.filter(lambda row, *element: kept[row])
    chosen = chosen.map(lambda row, element: element)
    count = int(np.count_nonzero(mask))
    if not is_batched:
        return chosen.apply(tf.data.experimental.assert_cardinality(count))
    batches = chosen.batch(size).prefetch(tf.data.AUTOTUNE)
    return batches.apply(tf.data.experimental.assert_cardinality(math.ceil(count / size)))


def _checked(row, count):
    """Returns the row after a check that the data set has no more examples than it had."""
    import tensorflow as tf

    message = f"The data set has more than the {count} examples that the subset was selected from."
    with tf.control_dependencies([tf.debugging.assert_less(row, np.int64(count), message)]):
        return tf.identity(row)
