"""Reads the labels that a user has in memory: numbers, one-hot rows, strings and booleans."""

from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.inputs import array_of, require_unmasked
from keras_pruning.examples.labels import checked_class_names, checked_labels


class Labels(NamedTuple):
    """Class numbers int64 `(examples,)`, the number of classes and their names or `None`."""

    numbers: np.ndarray
    num_classes: int
    class_names: list | None


def given_labels(y, num_classes=None, class_names=None):
    """Returns the `Labels` of `y`.

    Args:
        y: integers, floats that are whole numbers, booleans or strings, `(examples,)` or
            `(examples, 1)`, or one-hot rows `(examples, classes)`. Strings and booleans become the
            numbers of their classes in sorted order.
        num_classes: number of classes C. Defaults to the number of class names, columns or
            different strings, otherwise to the largest label plus one.
        class_names: names of the classes in the order of their numbers. Strings in `y` must be
            among them.

    Raises:
        InputError: if the labels are of another kind, for example of several classes an example,
            or if they disagree with `num_classes` or `class_names`.
    """
    require_unmasked("y", y)
    y = _array(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        return _of_one_hot(y, num_classes, class_names)
    if y.ndim == 1 and y.dtype.kind == "b":
        return _of_strings(y.astype(str), num_classes, class_names or ["False", "True"])
    texts = _strings(y)
    if texts is not None:
        return _of_strings(texts, num_classes, class_names)
    if y.ndim == 1 and y.dtype.kind == "f":
        y = _whole(y)
    return _of_numbers(y, num_classes, class_names)


def _array(y):
    try:
        return array_of(y)
    except ValueError as error:
        raise _invalid("rows of different lengths") from error


def _of_numbers(y, num_classes, class_names):
    if num_classes is None and class_names is not None:
        num_classes = len(class_names)
    numbers = checked_labels(y, np.inf if num_classes is None else num_classes)
    if num_classes is None:
        num_classes = int(numbers.max(initial=-1)) + 1
    return Labels(numbers, num_classes, class_names)


def _of_one_hot(y, num_classes, class_names):
    """Returns the positions of the ones in rows that have exactly one."""
    shown = f"{y.dtype} of shape {y.shape}"
    if y.dtype.kind not in "biuf":
        raise _invalid(shown)
    if not np.isin(y, (0, 1)).all():
        raise _invalid(f"{shown}. Soft labels and several targets an example are not supported")
    sums = y.sum(axis=1)
    if not (sums == 1).all():
        row = int(np.argmax(sums != 1))
        raise _invalid(
            f"{shown}. Several labels an example are not supported, and neither are rows without "
            f"one. Row {row} has {int(sums[row])}"
        )
    if num_classes is not None and num_classes != y.shape[1]:
        raise InputError(
            f"Labels `y` do not fit `num_classes`. Expected {num_classes} columns, one for each "
            f"class. Received: {shown}"
        )
    return Labels(y.argmax(axis=1), y.shape[1], class_names)


def _of_strings(texts, num_classes, class_names):
    """Returns the numbers of the classes that strings name."""
    names, numbers = np.unique(texts, return_inverse=True)
    names = names.tolist()
    if class_names is None:
        class_names = names
    elif missing := sorted(set(names) - set(checked_class_names(class_names, len(class_names)))):
        raise InputError(
            "Labels `y` are not among `class_names`. Expected one of "
            f"{list(class_names)[:10]}. Received: {missing[:10]}"
        )
    if num_classes not in (None, len(class_names)):
        raise InputError(
            f"Labels `y` do not fit `num_classes`. Expected {num_classes} different labels. "
            f"Received: {len(class_names)}. If a class has no example, pass `class_names`."
        )
    places = {name: number for number, name in enumerate(class_names)}
    order = np.array([places[name] for name in names], dtype=np.int64)
    return Labels(order[numbers], len(class_names), list(class_names))


def _strings(y):
    """Returns labels that are strings as such an array, `None` for labels of another kind."""
    if y.ndim != 1 or y.dtype.kind not in "OUST" or y.size == 0:
        return None
    entries = y.tolist()
    if y.dtype.kind == "O" and not any(isinstance(entry, str | bytes) for entry in entries):
        return None
    for position, entry in enumerate(entries):
        if not isinstance(entry, str | bytes):
            raise InputError(
                "Invalid labels `y`. Expected strings, one for each example. "
                f"Received: {entry!r} at position {position}"
            )
        # NumPy would leave it out at the end of a name.
        if ("\0" if isinstance(entry, str) else b"\0") in entry:
            raise InputError(
                "Invalid labels `y`. Expected strings without NUL characters. "
                f"Received: {entry!r} at position {position}"
            )
    try:
        return np.array([x.decode() if isinstance(x, bytes) else x for x in entries], dtype=str)
    except UnicodeDecodeError as error:
        raise _invalid(f"bytes that are not UTF-8 ({error})") from error


def _whole(y):
    """Returns floats that are whole numbers as integers."""
    # Larger floats leave out whole numbers.
    if not ((np.abs(y, dtype=np.float64) <= 2**53).all() and (y == np.round(y)).all()):
        raise _invalid(f"{y.dtype} of shape {y.shape}. Real-valued targets are not supported")
    return y.astype(np.int64)


def _invalid(received):
    return InputError(
        "Invalid labels `y`. Expected class numbers, strings or booleans of shape (N,), or one-hot "
        f"rows (N, C). Received: {received}"
    )
