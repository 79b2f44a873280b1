"""`datasets.Dataset` of Hugging Face."""

from collections.abc import Mapping

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.elements import label_key
from keras_pruning.examples.readers.lengths import require_length


def matches(dataset):
    """Returns whether a data set is a Hugging Face `Dataset`. Does not import the package."""
    return any(
        kind.__module__.startswith("datasets.") and kind.__name__ in ("Dataset", "DatasetDict")
        for kind in type(dataset).__mro__
    )


def is_batched(dataset):
    """Returns whether an element is a batch, `None` if only its values can show it."""
    return False


def elements(dataset):
    """Yields the examples as dictionaries, images as arrays."""
    if isinstance(dataset, dict):
        raise InputError(
            "Invalid `dataset`. Expected one split. Received: a dictionary of the splits "
            f"{sorted(dataset)}. Pass one of them."
        )
    for element in dataset:
        if not isinstance(element, Mapping):
            raise InputError(
                "Invalid elements of the data set. Expected dictionaries. Received: "
                f"{type(element).__name__}. Pass `dataset.with_format(None)`."
            )
        yield {name: _value(value) for name, value in element.items()}


def class_names(dataset, keys):
    """Returns the names of the label if it is a `ClassLabel`, otherwise `None`."""
    return getattr(dataset.features.get(label_key(dataset.features, keys)), "names", None)


def keep(dataset, mask, is_batched):
    """Returns the kept examples by `Dataset.select`, before anything is decoded.

    Args:
        dataset: `datasets.Dataset`.
        mask: booleans `(examples,)`.
        is_batched: always false.
    """
    require_length(len(dataset), mask)
    return dataset.select(np.flatnonzero(mask))


def _value(value):
    """Returns images as uint8 `(height, width, channels)`, lists as arrays, others as they are."""
    # Images of Pillow
    if hasattr(value, "getbands"):
        if value.mode == "P":
            raise InputError(
                "Invalid images of the data set. Expected pixels. Received: numbers of a palette, "
                "which are no colours. Pass `dataset.cast_column('image', "
                "datasets.Image(mode='RGB'))`."
            )
        pixels = np.asarray(value)
        return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    # Tokens, for example: a list would be a structure of inputs.
    return np.asarray(value) if isinstance(value, list) else value
