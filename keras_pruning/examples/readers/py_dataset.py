"""`keras.utils.PyDataset`, which gives batches by their number."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers.lengths import require_length


def matches(dataset):
    """Returns whether a data set is a `keras.utils.PyDataset`."""
    return any(
        kind.__name__ == "PyDataset" and kind.__module__.startswith("keras.")
        for kind in type(dataset).__mro__
    )


def is_batched(dataset):
    """Returns whether an element is a batch, `None` if only its values can show it."""
    return True


def elements(dataset):
    """Yields the batches of one epoch."""
    count = _num_batches(dataset)
    dataset.on_epoch_begin()
    for number in range(count):
        yield dataset[number]
    # As `fit` does, so that a data set that shuffles itself shows it.
    dataset.on_epoch_end()


def class_names(dataset, keys):
    """Returns the attribute `class_names` of the data set, or `None`."""
    return getattr(dataset, "class_names", None)


def keep(dataset, mask, is_batched):
    """Returns a `PyDataset` that leaves examples out of each batch.

    Batches without a kept example are left out themselves. The methods that run between epochs do
    not run, because other examples would come to the positions of the kept ones.

    Args:
        dataset: `keras.utils.PyDataset`.
        mask: booleans `(examples,)`.
        is_batched: always true.
    """
    import keras

    sizes = [len(_first(dataset[number])) for number in range(_num_batches(dataset))]
    starts = np.cumsum([0, *sizes])
    require_length(int(starts[-1]), mask)
    rows = [np.flatnonzero(part) for part in np.split(mask, starts[1:-1])]
    numbers = [number for number, kept in enumerate(rows) if len(kept)]

    class Kept(keras.utils.PyDataset):
        """Takes the kept examples of each batch."""

        def __len__(self):
            return len(numbers)

        def __getitem__(self, index):
            number = numbers[index]

            def kept_of(part):
                return np.asarray(part)[rows[number]]

            return keras.tree.map_structure(kept_of, dataset[number])

    # Processes cannot get a class that is defined in a function.
    return Kept(
        workers=dataset.workers, use_multiprocessing=False, max_queue_size=dataset.max_queue_size
    )


def _num_batches(dataset):
    """Returns the number of batches. Raises an `InputError` if there is none."""
    try:
        count = dataset.num_batches
    except NotImplementedError:
        count = None
    if count is None:
        raise InputError(
            "The data set never ends. Expected a finite one. Received: a `keras.utils.PyDataset` "
            "without a number of batches. Give it the method `__len__`."
        )
    return count


def _first(batch):
    import keras

    return keras.tree.flatten(batch)[0]
