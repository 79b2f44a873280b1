"""Takes the inputs, the labels and the ids out of the elements of a data set."""

from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves, mapped

# Keys of labels and of ids in elements that are dictionaries.
_LABEL_KEYS = ("label", "labels", "y", "target")
_ID_KEYS = ("tfds_id",)


class Batch(NamedTuple):
    """Inputs, labels and ids of several examples: arrays, inputs nested, ids perhaps `None`."""

    x: object
    y: np.ndarray
    ids: np.ndarray | None


def batches_of(elements, keys, id_key, batched):
    """Yields a `Batch` for each element.

    Args:
        elements: iterator of elements: `(x, y)`, `(x, y, weight)` or dictionaries.
        keys: keys of the inputs and of the label in dictionaries, a pair. The first may be a list.
        id_key: key of the ids, or `None`.
        batched: whether an element is a batch, or `None` to find out by the first one.

    Raises:
        InputError: if an element is of another kind.
    """
    for element in elements:
        x, y, ids = _parts(element, keys, id_key)
        x, y = mapped(_as_array, x), _as_array(y)
        if batched is None:
            batched = is_batch(x, y)
        if not batched:
            x, y = mapped(lambda part: part[np.newaxis], x), y[np.newaxis]
            ids = None if ids is None else [ids]
        lengths = {len(part) for part in (*leaves(x), y)}
        if len(lengths) > 1:
            raise InputError(
                "Lengths differ within a batch. Expected one label for each example. Received: "
                f"lengths {sorted(lengths)}"
            )
        yield Batch(x, y, None if ids is None else _as_array(ids).reshape(-1))


def is_batch(x, y):
    """Returns whether inputs and labels are those of a batch.

    Raises:
        InputError: if they could be both.
    """
    if y.ndim == 0:
        return False
    same = all(part.ndim > 0 and len(part) == len(y) for part in leaves(x))
    is_one_hot = y.ndim == 1 and y.dtype.kind == "f" and (np.sort(y)[-2:].tolist() in ([0, 1], [1]))
    if same and is_one_hot and len(y) > 1 and np.count_nonzero(y) == 1:
        raise InputError(
            "It is unclear whether an element of the data set is one example or a batch. Expected "
            "`batched=True` or `batched=False`. Received: labels of shape "
            f"{y.shape} with inputs of the same length"
        )
    return same


def _parts(element, keys, id_key):
    """Returns inputs, labels and ids of an element."""
    if isinstance(element, tuple | list) and len(element) in (2, 3):
        x, y = element[:2]
        ids = x.pop(id_key) if isinstance(x, dict) and id_key in (x := dict(x)) else None
        return x, y, ids
    if not isinstance(element, dict):
        received = type(element).__name__
        if isinstance(element, tuple | list):
            received += f" of {len(element)}"
        raise InputError(
            "Invalid elements of the data set. Expected (x, y), (x, y, weight) or dictionaries "
            f"with a label. Received: {received}"
        )
    element = dict(element)
    ids = [element.pop(key) for key in (id_key, *_ID_KEYS) if key in element]
    names, label = keys or (None, next((key for key in _LABEL_KEYS if key in element), None))
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
    return x, y, ids[0] if ids else None


def _as_array(value):
    """Returns a tensor of any framework, a number or a string as an array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    return array.astype(object) if array.dtype.kind in "US" else array
