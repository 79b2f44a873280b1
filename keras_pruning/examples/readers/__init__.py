"""Readers of the data sets that the `fit` of Keras takes, one file for each kind."""

from keras_pruning.arguments import kind_of
from keras_pruning.errors import InputError
from keras_pruning.examples.readers import grain, hugging_face, py_dataset, tf_data, torch

# Each has the functions `matches`, `is_batched`, `elements`, `class_names` and `keep`.
READERS = {
    "tf.data.Dataset": tf_data,
    "keras.utils.PyDataset": py_dataset,
    "Grain MapDataset, IterDataset or DataLoader": grain,
    "Hugging Face Dataset": hugging_face,
    "torch DataLoader or Dataset": torch,
}


def reader_of(dataset):
    """Returns the module that reads a data set.

    Raises:
        InputError: if there is none, for example for a generator.
    """
    for reader in READERS.values():
        if reader.matches(dataset):
            return reader
    raise InputError(
        f"Invalid `dataset`. Expected one of {', '.join(READERS)}, which can be read more than "
        f"once. Received: {kind_of(dataset)}. Read arrays by `Examples.from_arrays`, and put a "
        "generator into a `keras.utils.PyDataset`."
    )
