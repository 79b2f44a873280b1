"""Keeps a part of a data set that is not an `Examples`."""

import numpy as np

from keras_pruning.arguments import require_subset
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped
from keras_pruning.examples.readers import reader_of
from keras_pruning.examples.readers.elements import Stack, batches_of


def keep(dataset, subset, batched=None):
    """Returns the user's own data set with only the kept examples.

    The examples must come in the order in which `Examples.from_dataset` has read them. Where
    examples can be read by position (Hugging Face, Grain, torch), the others are never read. A
    `tf.data.Dataset` is filtered at the place of the call: call `keep` before `map(decode)`,
    augmentation, `shuffle` and `batch`, so that the others are not decoded.

    Args:
        dataset: `tf.data.Dataset`, `keras.utils.PyDataset`, Grain `MapDataset`, Hugging Face
            `Dataset`, or torch `DataLoader` or `Dataset`.
        subset: `Subset` of all of its examples.
        batched: whether an element of a `tf.data.Dataset` is a batch. Found out by its first
            element by default.

    Returns:
        A data set of the same kind. Batches of a `tf.data.Dataset` and of a `DataLoader` have the
        same size as before.

    Raises:
        InputError: if the data set cannot be read, or if a part of it cannot be kept.

    Example:
        >>> files = tf.data.Dataset.from_tensor_slices((paths, labels))
        >>> batches = kp.keep(files, subset).map(decode).shuffle(1000).batch(64)
    """
    require_subset(subset)
    reader = reader_of(dataset)
    if batched is None:
        batched = _is_batched(reader, dataset)
    return reader.keep(dataset, np.asarray(subset.mask), batched)


def _is_batched(reader, dataset):
    """Returns whether the first element of a data set is a batch."""
    known = reader.is_batched(dataset)
    if known is not None:
        return known
    element = next(iter(reader.elements(dataset)), None)
    if element is None:
        raise InputError("The data set is empty. Expected at least one example. Received: none")
    if isinstance(element, Stack):
        element = mapped(lambda part: part[0, ...], element.elements)
    # Its keys are not known here, and a batch has no single values.
    if isinstance(element, dict):
        return all(np.ndim(part) > 0 for part in leaves(element))
    first = next(batches_of(iter([element]), None, None, None))
    return len(first.y) > 1
