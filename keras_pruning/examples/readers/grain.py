"""Grain: `MapDataset`, `IterDataset` and `DataLoader`."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length


def matches(dataset):
    """Returns whether a data set is of Grain. Does not import it."""
    return any(
        kind.__module__.startswith("grain.")
        and kind.__name__ in ("MapDataset", "IterDataset", "DataLoader")
        for kind in type(dataset).__mro__
    )


def is_batched(dataset):
    """Returns whether an element is a batch, `None` if only its values can show it."""
    return None


def elements(dataset):
    """Yields the elements of the data set."""
    if _never_ends(dataset):
        raise InputError(
            "The data set never ends. Expected a finite one. Received: a Grain data set of "
            "infinite length. Leave out `repeat()`, or pass num_epochs=1."
        )
    if hasattr(dataset, "__len__"):
        # A `MapDataset` starts again at its end, so it has to be read by position.
        rows = (dataset[position] for position in range(len(dataset)))
        # It has `None` in place of an example that a filter leaves out.
        yield from (row for row in rows if row is not None)
    else:
        yield from dataset


def class_names(dataset, keys):
    """Returns `None`: Grain has no names of classes."""
    return None


def _never_ends(dataset):
    """Returns whether a data set, or what it reads, has an infinite length."""
    if hasattr(dataset, "__len__"):
        return len(dataset) >= 2**63 - 1
    if hasattr(dataset, "_sampler"):
        return getattr(dataset._sampler, "_num_epochs", 1) is None
    # A limit may end what goes before it.
    parents = [] if "Limit" in type(dataset).__name__ else getattr(dataset, "parents", [])
    return len(parents) > 0 and all(map(_never_ends, parents))


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
