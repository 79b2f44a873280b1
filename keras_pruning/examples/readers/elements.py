"""Takes the inputs, the labels and the ids out of the elements of a data set."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped
from keras_pruning.examples.inputs import require_unmasked

# Keys of labels and of ids in elements that are dictionaries.
_LABEL_KEYS = ("label", "labels", "y", "target")
_ID_KEYS = ("tfds_id",)


class Batch(NamedTuple):
    """Inputs, labels and ids of several examples: arrays, inputs nested, ids perhaps `None`."""

    x: object
    y: np.ndarray
    ids: np.ndarray | None


class Stack(NamedTuple):
    """Elements of one structure, with all arrays stacked along a new first axis."""

    elements: object
    count: int


def batches_of(elements, keys, id_key, batched):
    """Yields a `Batch` for each element.

    Args:
        elements: iterator of elements: `(x, y)`, `(x, y, weight)` or dictionaries. A `Stack` is
            several of them.
        keys: keys of the inputs and of the label in dictionaries, a pair. The first may be a list.
        id_key: key of the ids, or `None`.
        batched: whether an element is a batch, or `None` to find out by the first one.

    Raises:
        InputError: if an element is of another kind.
    """
    for element in elements:
        count = element.count if isinstance(element, Stack) else None
        x, y, ids = _parts(element if count is None else element.elements, keys, id_key)
        # The values of a batch may come in a list.
        x, y = _as_array(x) if batched and _are_values(x) else _arrays(x), _as_array(y)
        ids = None if ids is None else _as_array(ids)
        if batched is None:
            first = (x, y) if count is None else _at(0, (x, y))
            batched = is_batch(*first)
        if count is None:
            yield _batch(x, y, ids, batched)
        # Stacked examples are a batch already.
        elif not batched:
            yield _batch(x, y, ids, True)
        else:
            for row in range(count):
                yield _batch(*_at(row, (x, y)), None if ids is None else ids[row, ...], True)


def _batch(x, y, ids, batched):
    """Returns a `Batch` of the parts of an element."""
    if not batched:
        x, y = mapped(lambda part: part[np.newaxis], x), y[np.newaxis]
        ids = None if ids is None else ids[np.newaxis]
    if any(part.ndim == 0 for part in (*leaves(x), y)):
        raise InputError(
            "An element of the data set is not a batch. Expected an array with an entry for each "
            "example. Received: a single value. Pass `batched=False`, or give arrays."
        )
    ids = None if ids is None else ids.reshape(-1)
    lengths = {len(part) for part in (*leaves(x), y, *([] if ids is None else [ids]))}
    if len(lengths) > 1:
        raise InputError(
            "Lengths differ within a batch. Expected one label for each example. Received: "
            f"lengths {sorted(lengths)}"
        )
    return Batch(x, y, ids)


def _at(row, parts):
    return mapped(lambda part: part[row, ...], parts)


def is_batch(x, y):
    """Returns whether inputs and labels are those of a batch.

    Raises:
        InputError: if they could be both.
    """
    if y.ndim == 0:
        return False
    same = all(part.ndim > 0 and len(part) == len(y) for part in leaves(x))
    is_one_hot = y.ndim == 1 and y.dtype.kind in "biuf" and y.max(initial=0) == 1
    is_one_hot = is_one_hot and np.count_nonzero(y) == 1
    # A batch of single numbers, or one example with several labels
    is_vector = isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype.kind in "biuf"
    if same and len(y) > 1 and (is_one_hot or is_vector):
        raise InputError(
            "It is unclear whether an element of the data set is one example or a batch. Expected "
            "`batched=True` or `batched=False`. Received: labels of shape "
            f"{y.shape} with inputs of the same length"
        )
    return same


def label_key(names, keys):
    """Returns the key of the label among the names in an element, `None` if there is none."""
    return keys[1] if keys else next((key for key in _LABEL_KEYS if key in names), None)


def _parts(element, keys, id_key):
    """Returns inputs, labels and ids of an element."""
    if isinstance(element, tuple | list) and len(element) in (2, 3):
        x, y = element[:2]
        ids = x.pop(id_key) if isinstance(x, Mapping) and id_key in (x := dict(x)) else None
        return x, y, ids
    if not isinstance(element, Mapping):
        received = type(element).__name__
        if isinstance(element, tuple | list):
            received += f" of {len(element)}"
        raise InputError(
            "Invalid elements of the data set. Expected (x, y), (x, y, weight) or dictionaries "
            f"with a label. Received: {received}"
        )
    element = dict(element)
    ids = {key: element.pop(key) for key in (id_key, *_ID_KEYS) if key in element}
    names, label = keys[0] if keys else None, label_key(element, keys)
    needed = [label] if names is None else [label, *([names] if isinstance(names, str) else names)]
    if label is None or any(name not in element for name in needed):
        raise InputError(
            "Cannot find inputs and labels in the elements of the data set. Expected `keys`, the "
            f"key of the inputs and the key of the label. Received: keys={keys} for the keys "
            f"{sorted(element)}"
        )
    y = element.pop(label)
    if isinstance(names, str):
        x = element[names]
    else:
        x = element if names is None else {name: element[name] for name in names}
        x = next(iter(x.values())) if len(x) == 1 and names is None else x
    return x, y, next(iter(ids.values()), None) if id_key is None else ids.get(id_key)


def _are_values(x):
    """Returns whether a list holds single numbers or strings, not arrays."""
    kinds = str | bytes | int | float
    return isinstance(x, tuple | list) and all(isinstance(entry, kinds) for entry in x)


def _arrays(x):
    """Returns inputs as arrays in plain dictionaries and tuples."""
    if isinstance(x, Mapping):
        return {name: _arrays(part) for name, part in x.items()}
    if isinstance(x, tuple | list):
        return tuple(map(_arrays, x))
    return _as_array(x)


def _as_array(value):
    """Returns a tensor of any framework, a number or a string as an array."""
    require_unmasked("x", value)
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise InputError(
            "Invalid elements of the data set. Expected arrays, tensors, numbers or strings. "
            f"Received: a {type(value).__name__} that is none ({error})"
        ) from error
    # NumPy has no floats of this kind. The `fit` of Keras casts them to float32 as well.
    if array.dtype.kind == "V" and array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    return array.astype(object) if array.dtype.kind in "US" else array
