"""Keeps a part of a data set that is not an `Examples`."""

import itertools

import numpy as np

from keras_pruning.arguments import require_subset
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped
from keras_pruning.examples.readers import reader_of, tf_data, torch
from keras_pruning.examples.readers.elements import Stack, batches_of

# Number of labels that are compared, and the share of them that may have been corrected.
_COMPARED, _CORRECTED = 256, 0.25


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
        InputError: if the data set cannot be read, if it shuffles or if its first labels show
            another order than the subset, or if a part of it cannot be kept.

    Example:
        >>> files = tf.data.Dataset.from_tensor_slices((paths, labels))
        >>> batches = kp.keep(files, subset).map(decode).shuffle(1000).batch(64)
    """
    require_subset(subset)
    reader = reader_of(dataset)
    if batched is None:
        batched = _is_batched(reader, dataset)
    if reader is not torch:  # A `DataLoader` shuffles behind the examples that are kept.
        _require_order(reader, dataset, subset, batched)
    return reader.keep(dataset, np.asarray(subset.mask), batched)


def _require_order(reader, dataset, subset, batched):
    """Raises an `InputError` if the first labels of a data set are in another order.

    It cannot notice all: labels that are not class numbers show nothing, and some labels may have
    been corrected since.
    """
    if reader is tf_data and tf_data.shuffles(dataset):
        raise _other_order("a `shuffle` that changes the order in each pass")
    # One batch of those, because a `PyDataset` may shuffle at its end.
    first = itertools.islice(reader.elements(dataset), 1 if batched else _COMPARED)
    try:
        labels = [_class_numbers(batch.y) for batch in batches_of(first, None, None, batched)]
    except InputError:  # No labels in these elements
        return
    labels = np.concatenate(labels)[: len(subset.all_labels)] if labels else []
    ours = subset.all_labels[: len(labels)]
    differing = np.mean(ours != labels) if len(labels) else 0
    if differing > _CORRECTED:
        raise _other_order(f"other labels in {differing:.0%} of the first {len(ours)} examples")


def _class_numbers(y):
    """Returns labels as class numbers, none if they are of another kind."""
    if y.ndim == 2:
        y = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0]
    return y.astype(int) if y.dtype.kind in "biuf" else np.array([], int)


def _other_order(received):
    return InputError(
        "The data set has another order than the subset. Expected the examples in the order in "
        f"which the subset was selected. Received: {received}. Call `keep` before `shuffle`, or "
        "use `examples.keep(subset)`."
    )


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
