"""`tf.data.Dataset`, batched or not."""

import math
import re

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.elements import Stack
from keras_pruning.examples.readers.lengths import require_length

# Bytes and number of the elements that are read at a time.
_STACK_SIZE = 2**22
_MOST_STACKED = 1024
# The parts of a message of TensorFlow that do not speak of the data set.
_SURROUNDINGS = re.compile(r"\{\{.*?\}\}\s*|\s*\[Op:.*", re.DOTALL)


def matches(dataset):
    """Returns whether a data set is a `tf.data.Dataset`."""
    modules = [kind.__module__ for kind in type(dataset).__mro__ if kind.__name__ == "DatasetV2"]
    return any(module.startswith("tensorflow.") for module in modules)


def is_batched(dataset):
    """Returns whether an element is a batch, `None` if only its values can show it."""
    shapes = [spec.shape for spec in _specs(dataset)]
    # A batch of any size
    return True if all(shape.rank and shape[0] is None for shape in shapes) else None


def elements(dataset):
    """Yields the elements as NumPy arrays, in a `Stack` if all have the same shape."""
    import tensorflow as tf

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
            f"Received: {_SURROUNDINGS.sub('', error.message)}"
        ) from error


def class_names(dataset, keys):
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
    # The number of batches does not tell the number of examples.
    if not is_batched and dataset.cardinality() >= 0:
        require_length(int(dataset.cardinality()), mask)
    if is_batched:
        if any(spec.shape.rank == 0 for spec in _specs(dataset)):
            raise InputError(
                "The elements of the data set are no batches. Expected `batched=False`. Received: "
                "single values with batched=True"
            )
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


def shuffles(dataset):
    """Returns whether a data set has another order in each pass."""
    if getattr(dataset, "_reshuffle_each_iteration", False):
        return True
    return any(map(shuffles, dataset._inputs()))


def _specs(dataset):
    """Returns the `tf.TensorSpec` of each tensor in an element.

    Raises:
        InputError: if elements hold ragged or sparse tensors, or data sets.
    """
    import tensorflow as tf

    specs = tf.nest.flatten(dataset.element_spec)
    for spec in specs:
        if not isinstance(spec, tf.TensorSpec):
            name = type(spec).__name__.removesuffix("Spec")
            raise InputError(
                "Invalid elements of the data set. Expected tensors of one shape for all examples. "
                f"Received: {name}. Map it with `to_tensor` or `tf.sparse.to_dense` first."
            )
    return specs


def _never_ends(dataset):
    """Returns whether a data set repeats without end, also if its cardinality is unknown."""
    import tensorflow as tf

    if dataset.cardinality() != tf.data.UNKNOWN_CARDINALITY:
        return dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    # `take` and `take_while` may end their input.
    inputs = [] if "Take" in type(dataset).__name__ else dataset._inputs()
    return len(inputs) > 0 and all(map(_never_ends, inputs))


def _stacked_count(dataset):
    """Returns the number of elements to read at a time, 1 if their shapes may differ."""
    specs = _specs(dataset)
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
