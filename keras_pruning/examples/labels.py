"""Checks labels: one class number for each example."""

import numpy as np

from keras_pruning.errors import InputError

# The most classes, above which a label is more likely an id or the value of a target.
_MOST_CLASSES = 2**20


def checked_labels(labels, num_classes):
    """Returns the labels as int64 `(examples,)`.

    Args:
        labels: integers `(examples,)`.
        num_classes: number of classes C, `numpy.inf` if it is not known yet.

    Raises:
        InputError: if the labels have another dtype or shape, or if one is outside 0 … C - 1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            "Invalid labels `y`. Expected integers of shape (N,). "
            f"Received: {labels.dtype} of shape {labels.shape}"
        )
    highest = int(min(num_classes, _MOST_CLASSES)) - 1
    # Compared before the cast, which would turn large uint64 into negative numbers.
    outside = (labels < 0) | (labels > highest)
    if outside.any():
        row = int(np.argmax(outside))
        shown = "C - 1" if np.isinf(num_classes) and labels[row] < 0 else highest
        raise InputError(
            f"Labels outside the classes. Expected integers in 0 … {shown}. "
            f"Received: {labels[row]} at position {row}{hint_of_numbering(labels)}"
        )
    return labels.astype(np.int64)


def hint_of_numbering(labels):
    """Returns a sentence for the end of a message if the labels seem to count from 1.

    Args:
        labels: integers `(examples,)`.
    """
    if len(labels) == 0 or labels.min() != 1:
        return ""
    return ". No label is 0: if the labels count from 1, pass `y - 1`."


def checked_class_names(class_names, num_classes):
    """Returns the names of the classes as a list of strings.

    Args:
        class_names: C different strings, or `None` for the class numbers.
        num_classes: number of classes C.

    Raises:
        InputError: if the number of names is not C, or if a name repeats or is not a string.
    """
    if class_names is None:
        return [str(number) for number in range(num_classes)]
    names = [class_names] if isinstance(class_names, str) else list(class_names)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InputError(
            f"Invalid `class_names`. Expected different strings. Received: {names[:10]!r}"
        )
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "Invalid `class_names`. Expected valid Unicode, without lone surrogates. "
            f"Received: {names[:10]!a}"
        ) from error
    if len(names) != num_classes:
        raise InputError(
            f"Invalid `class_names`. Expected {num_classes}, one for each class. "
            f"Received: {len(names)}"
        )
    return [str(name) for name in names]
