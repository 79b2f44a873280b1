"""`datasets.Dataset` of Hugging Face."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length

# Whether an element is a batch, `None` if it may be one.
IS_BATCHED = False


def matches(dataset):
    """Returns whether a data set is a Hugging Face `Dataset`. Does not import the package."""
    return any(
        kind.__module__.startswith("datasets.") and kind.__name__ in ("Dataset", "DatasetDict")
        for kind in type(dataset).__mro__
    )


def elements(dataset):
    """Yields the examples as dictionaries, images as arrays."""
    if isinstance(dataset, dict):
        raise InputError(
            "Invalid `dataset`. Expected one split. Received: a dictionary of the splits "
            f"{sorted(dataset)}. Pass one of them."
        )
    for element in dataset:
        yield {name: _value(value) for name, value in element.items()}


def class_names(dataset):
    """Returns the names of the only `ClassLabel` among the features, or `None`."""
    names = [kind.names for kind in dataset.features.values() if hasattr(kind, "int2str")]
    return names[0] if len(names) == 1 else None


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
        pixels = np.asarray(value)
        return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    # Tokens, for example: a list would be a structure of inputs.
    return np.asarray(value) if isinstance(value, list) else value
