"""`tf.data.Dataset`, batched or not."""

import math

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.elements import Stack

# Bytes and number of the elements that are read at a time.
_STACK_SIZE = 2**22
_MOST_STACKED = 1024
# Whether an element is a batch, `None` if it may be one.
IS_BATCHED = None


def matches(dataset):
    """Returns whether a data set is a `tf.data.Dataset`."""
    modules = [kind.__module__ for kind in type(dataset).__mro__ if kind.__name__ == "DatasetV2"]
    return any(module.startswith("tensorflow.") for module in modules)


def elements(dataset):
    """Yields the elements as NumPy arrays, in a `Stack` if all have the same shape."""
    import tensorflow as tf

    _require_tensors(dataset)
    if _never_ends(dataset):
        raise InputError(
            "The data set never ends. Expected a finite one. Received: a `tf.data.Dataset` of "
            "infinite cardinality. Leave out `repeat()`."
        )
    count = _stacked_count(dataset)
    try:
        if count == 1:
            yield from dataset.as_numpy_iterator()
            return
        # Single elements take up to 20 times as long.
        for stack in dataset.batch(count).as_numpy_iterator():
            yield Stack(stack, len(tf.nest.flatten(stack)[0]))
    except tf.errors.OpError as error:
        raise InputError(
            "Cannot read the data set. Expected one that can be read to its end. "
            f"Received: {error.message}"
        ) from error


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


def _require_tensors(dataset):
    """Raises an `InputError` if elements hold ragged or sparse tensors, or data sets."""
    import tensorflow as tf

    for spec in tf.nest.flatten(dataset.element_spec):
        if not isinstance(spec, tf.TensorSpec):
            name = type(spec).__name__.removesuffix("Spec")
            raise InputError(
                "Invalid elements of the data set. Expected tensors of one shape for all examples. "
                f"Received: {name}. Map it with `to_tensor` or `tf.sparse.to_dense` first."
            )


def _never_ends(dataset):
    """Returns whether a data set repeats without end, also if its cardinality is unknown."""
    import tensorflow as tf

    if dataset.cardinality() != tf.data.UNKNOWN_CARDINALITY:
        return dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    # These may end what goes before them.
    if any(word in type(dataset).__name__ for word in ("Take", "Cardinality")):
        return False
    return any(map(_never_ends, dataset._inputs()))


def _stacked_count(dataset):
    """Returns the number of elements to read at a time, 1 if their shapes may differ."""
    import tensorflow as tf

    specs = tf.nest.flatten(dataset.element_spec)
    if not all(spec.shape.is_fully_defined() for spec in specs):
        return 1
    size = sum(spec.shape.num_elements() * (spec.dtype.size or 64) for spec in specs)
    return max(1, min(_MOST_STACKED, _STACK_SIZE // max(1, size)))


def _checked(row, count):
    """Returns the row after a check that the data set has no more examples than it had."""
    import tensorflow as tf

    message = f"The data set has more than the {count} examples that the subset was selected from."
    with tf.control_dependencies([tf.debugging.assert_less(row, np.int64(count), message)]):
        return tf.identity(row)
