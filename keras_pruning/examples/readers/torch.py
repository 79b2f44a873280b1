"""`torch.utils.data.DataLoader`, and a `Dataset` with a length."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length

# Whether an element is a batch, `None` if it may be one.
IS_BATCHED = None


def matches(dataset):
    """Returns whether a data set is of torch. Does not import it."""
    return any(
        kind.__module__.startswith("torch.utils.data.")
        and kind.__name__ in ("DataLoader", "Dataset")
        for kind in type(dataset).__mro__
    )


def elements(dataset):
    """Yields the elements, tensors as NumPy arrays."""
    if hasattr(dataset, "batch_sampler"):
        yield from dataset
    elif hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        yield from (dataset[position] for position in range(len(dataset)))
    else:
        raise InputError(
            "Cannot read the torch data set. Expected a DataLoader, or a Dataset with a length. "
            f"Received: {type(dataset).__name__}"
        )


def class_names(dataset):
    """Returns the attribute `classes` of the data set, as torchvision has it, or `None`."""
    return getattr(getattr(dataset, "dataset", dataset), "classes", None)


def keep(dataset, mask, is_batched):
    """Returns the kept examples as a `Subset`, or as a `DataLoader` over one.

    Args:
        dataset: `DataLoader` or `Dataset` of torch.
        mask: booleans `(examples,)`.
        is_batched: not used: a `DataLoader` keeps its batch size.
    """
    from torch.utils.data import DataLoader, Subset

    examples = dataset.dataset if isinstance(dataset, DataLoader) else dataset
    require_length(len(examples), mask)
    kept = Subset(examples, np.flatnonzero(mask).tolist())
    if not isinstance(dataset, DataLoader):
        return kept
    return DataLoader(
        kept,
        batch_size=dataset.batch_size,
        shuffle=type(dataset.sampler).__name__ == "RandomSampler",
        num_workers=dataset.num_workers,
        collate_fn=dataset.collate_fn,
        drop_last=dataset.drop_last,
    )
