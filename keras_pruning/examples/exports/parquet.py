"""`parquet`: a table, which the source `parquet:FILE` and libraries of data frames read."""

import math

import numpy as np

from keras_pruning.examples.array_spec import flattened
from keras_pruning.examples.export_mark import MARK, mark
from keras_pruning.examples.exports.stored_blocks import blocks

FILE = "examples.parquet"
# Names of columns beside those of the inputs. A column `split` would divide the rows.
_ID, _LABEL, _SPLIT = "id", "label", "split"


def write(examples, folder, path):
    """Writes the columns `id`, `label` and those of the inputs.

    The label is the name of the class, or its number if the classes have no names. Numbers and
    texts `(examples,)` are one column, and `(examples, columns)` one for each: `x_0`, `x_1` and so
    on. Images and larger arrays are one column of Arrow's fixed-shape tensors. The keys of a
    dictionary name its columns.

    Args:
        examples: `Examples`.
        folder: new folder.
        path: not used.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout = _layout(examples)
    text = mark(
        split=examples.split,
        scale=examples.stored.scale,
        class_names=examples.class_names,
        inputs=layout,
    )
    tables = (
        pa.table(
            {
                _ID: pa.array(examples.ids[rows].tolist(), pa.string()),
                _LABEL: _labels(examples, rows),
                **_columns(layout, flattened(values, "x")),
            }
        ).replace_schema_metadata({MARK: text})
        for rows, values in blocks(examples)
    )
    # The first block gives the schema, and each block is a row group.
    first = next(tables)
    with pq.ParquetWriter(folder / FILE, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _layout(examples):
    """Returns the columns of each part of the inputs, a list of dictionaries for the mark."""
    layout, taken = [], {_ID, _LABEL, _SPLIT}
    for path, array in flattened(examples.stored_inputs(np.arange(0)), "x").items():
        shape, name = array.shape[1:], path.removeprefix("x/")
        count = math.prod(shape)
        is_tensor = array.dtype != object and len(shape) > 1 and count > 0
        names = [name] if is_tensor or not shape else [f"{name}_{place}" for place in range(count)]
        # A key of the inputs may have the name of another column.
        while taken & set(names):
            names = [f"x/{column}" for column in names]
        taken |= set(names)
        dtype = "string" if array.dtype == object else array.dtype.name
        layout.append({"path": path, "columns": names, "shape": list(shape), "dtype": dtype})
    return layout


def _columns(layout, arrays):
    """Returns a dictionary from the names of columns to Arrow arrays of a block of inputs."""
    import pyarrow as pa

    columns = {}
    for part in layout:
        names, array = part["columns"], arrays[part["path"]]
        if len(part["shape"]) > 1 and len(names) == 1 and part["dtype"] != "string":
            # Tensors of booleans do not exist.
            values = array.view(np.uint8) if array.dtype == bool else array
            values = np.ascontiguousarray(values)
            columns[names[0]] = pa.FixedShapeTensorArray.from_numpy_ndarray(values)
            continue
        flat = array.reshape(len(array), -1) if names else array
        kind = pa.string() if array.dtype == object else None
        for place, name in enumerate(names):
            columns[name] = pa.array(np.ascontiguousarray(flat[:, place]), kind)
    return columns


def _labels(examples, rows):
    """Returns the labels of rows as names of their classes, or as numbers if there are no names."""
    import pyarrow as pa

    names, labels = examples.class_names, examples.labels[rows]
    if names == [str(number) for number in range(len(names))]:
        return pa.array(labels)
    return pa.array([names[label] for label in labels], pa.string())
