"""Grain: `MapDataset`, `IterDataset` and `DataLoader`."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length

# Whether an element is a batch, `None` if it may be one.
IS_BATCHED = None


def matches(dataset):
    """Returns whether a data set is of Grain. Does not import it."""
    return any(
        kind.__module__.startswith("grain.")
        and kind.__name__ in ("MapDataset", "IterDataset", "DataLoader")
        for kind in type(dataset).__mro__
    )


def elements(dataset):
    """Yields the elements of the data set."""
    if hasattr(dataset, "__len__"):
        # A `MapDataset` starts again at its end, so it has to be read by position.
        if len(dataset) >= 2**63 - 1:
            raise InputError(
                "The data set never ends. Expected a finite one. Received: a Grain data set of "
                "infinite length. Leave out `repeat()`."
            )
        yield from (dataset[position] for position in range(len(dataset)))
    else:
        yield from dataset


def class_names(dataset):
    """Returns `None`: Grain has no names of classes."""
    return None


def keep(dataset, mask, is_batched):
    """Returns a `MapDataset` of the kept examples, read by their positions.

    Args:
        dataset: `grain.MapDataset` before `batch`.
        mask: booleans `(examples,)`.
        is_batched: whether an element is a batch, which is refused.
    """
    import grain

    if is_batched or not hasattr(dataset, "__getitem__"):
        raise InputError(
            "Cannot keep a part of this Grain data set. Expected a MapDataset of single examples, "
            f"before `batch`. Received: {type(dataset).__name__}"
        )
    require_length(len(dataset), mask)
    rows = np.flatnonzero(mask).tolist()
    return grain.MapDataset.source(rows).map(lambda row: dataset[row])
