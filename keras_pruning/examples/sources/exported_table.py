"""Tables that `export` has written as Parquet, with the structure of their inputs in a mark."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import nested
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.export_mark import MARK, marked
from keras_pruning.examples.given_inputs import given_inputs
from keras_pruning.examples.given_labels import given_labels


def is_exported(table):
    """Returns whether a table has the mark of `export`."""
    return MARK.encode() in (table.schema.metadata or {})


def load(table, location, split):
    """Returns the `Examples` that were exported, with their ids, class names and scale.

    Args:
        table: `pyarrow.Table` with the mark.
        location: path of the file, for messages.
        split: `"train"`, `"test"` or `None`.

    Raises:
        InputError: if the file holds another split, or if its columns are not those of its mark.
    """
    content = marked(table.schema.metadata[MARK.encode()].decode(), location)
    if split not in (None, content["split"]):
        raise InputError(
            f"No {split} examples in {location}. Expected a table with them. Received: an export "
            f"of {content['split']} examples. Set `test_fraction` to test with a part of them."
        )
    try:
        arrays = {part["path"]: _array(table, part) for part in content["inputs"]}
        labels, ids = table["label"].to_pylist(), table["id"].to_pylist()
    except KeyError as error:
        raise InputError(
            f"Missing columns in {location}. Expected those of its export. Received: "
            f"{', '.join(table.column_names)}. Export the examples again."
        ) from error
    names = content["class_names"]
    inputs = given_inputs(nested(arrays, "x"), len(table), content["scale"])
    # Labels are numbers if the classes have no names.
    numbers = given_labels(labels, len(names), names).numbers
    return Examples(inputs, numbers, ids, len(names), "parquet", split or "train", names)


def _array(table, part):
    """Returns one part of the inputs as an array `(rows, ...)`.

    Args:
        table: `pyarrow.Table`.
        part: dictionary of the names of its `columns`, the `shape` of one row and the `dtype`.
    """
    columns = [table[name].combine_chunks() for name in part["columns"]]
    kind = object if part["dtype"] == "string" else np.dtype(part["dtype"])
    shape = (len(table), *part["shape"])
    if len(columns) == 1 and hasattr(columns[0], "to_numpy_ndarray"):
        tensor = columns[0].to_numpy_ndarray()
        return tensor.view(bool) if part["dtype"] == "bool" else tensor
    array = np.empty((len(table), len(columns)), kind)
    for place, column in enumerate(columns):
        array[:, place] = column.to_numpy(zero_copy_only=False)
    return array.reshape(shape)
