"""`torch.utils.data.DataLoader`, and a `Dataset` with a length."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length

# Options of a `DataLoader` that keep their values.
_OPTIONS = (
    "num_workers",
    "collate_fn",
    "pin_memory",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "generator",
    "prefetch_factor",
    "persistent_workers",
)


def matches(dataset):
    """Returns whether a data set is of torch. Does not import it."""
    # Those of Hugging Face are also of torch.
    if type(dataset).__module__.startswith("datasets."):
        return False
    return any(
        kind.__module__.startswith("torch.utils.data.")
        and kind.__name__ in ("DataLoader", "Dataset")
        for kind in type(dataset).__mro__
    )


def is_batched(dataset):
    """Returns whether an element is a batch, `None` if only its values can show it."""
    if not hasattr(dataset, "batch_sampler"):
        return False
    return True if dataset.batch_sampler is not None else None


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


def class_names(dataset, keys):
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
    if not hasattr(examples, "__len__") or not hasattr(examples, "__getitem__"):
        raise InputError(
            "Cannot keep a part of the torch data set. Expected one with a length, read by "
            f"position. Received: {type(examples).__name__}"
        )
    require_length(len(examples), mask)
    kept = Subset(examples, np.flatnonzero(mask).tolist())
    if not isinstance(dataset, DataLoader):
        return kept
    shuffles = _shuffles(dataset)
    return DataLoader(
        kept,
        dataset.batch_size,
        shuffle=shuffles,
        drop_last=dataset.drop_last,
        **{name: getattr(dataset, name) for name in _OPTIONS},
    )


def _shuffles(loader):
    """Returns whether a `DataLoader` shuffles.

    Raises:
        InputError: if its order is neither that of its data set nor a random one of all examples.
    """
    from torch.utils.data import BatchSampler, RandomSampler, SequentialSampler

    # Exact types, because a subclass may give another order.
    sampler = loader.sampler
    batches = loader.batch_sampler
    shuffles = type(sampler) is RandomSampler
    if (
        (shuffles or type(sampler) is SequentialSampler)
        and len(sampler) == len(loader.dataset)
        and not getattr(sampler, "replacement", False)
        and (batches is None or type(batches) is BatchSampler)
    ):
        return shuffles
    raise InputError(
        "Cannot keep a part of this DataLoader. Expected one with the order of its data set, or "
        f"with shuffle=True. Received: {type(sampler).__name__} in {type(batches).__name__}. Call "
        "`keep` with its data set, and make a new DataLoader."
    )
