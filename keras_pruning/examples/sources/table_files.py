"""`csv:FILE` and `parquet:FILE`: a table with a label, and numbers, texts or paths of images."""

import functools
import warnings
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.given_inputs import given_inputs
from keras_pruning.examples.given_labels import given_labels
from keras_pruning.examples.sources import exported_table, table_images
from keras_pruning.examples.sources.folder_layout import TEST_NAMES

# The column with which exports name the label.
CLASS_NAME = "class_name"


def load(
    kind,
    location,
    split,
    label_column=None,
    id_column=None,
    split_column=None,
    input_columns=None,
    image_column=None,
    image_size=None,
    skip_broken=False,
):
    """Loads the rows of a split.

    Columns of numbers become one array `(examples, columns)`. A single column of text becomes
    strings. Other columns become a dictionary by their names. Paths of images become their pixels,
    as in `folder:`. An id is the entry of the id column, otherwise the path of the image, otherwise
    the position of the row in the file. A file of `export` gives the exported examples.

    Args:
        kind: `"csv"` or `"parquet"`.
        location: path of the file.
        split: `"train"` or `"test"`, an entry of the split column, or `None` for all rows. Without
            that column all rows are training rows.
        label_column: name of the column of labels. Defaults to `label`.
        id_column: name of the column of ids. Defaults to `id`, if there is one.
        split_column: name of the column of splits. Defaults to `split`, if there is one.
        input_columns: names of the columns of inputs, in order. Defaults to all others but
            `class_name`, which exports have.
        image_column: name of a column of paths of images, absolute or relative to the folder of the
            file. They are the inputs then.
        image_size, skip_broken: as in `folder:`.

    Raises:
        InputError: if the file or a column is missing, if a value is missing, if a label of the
            test split is not among those of the training split, or if images cannot be read.
    """
    table = _read(kind, location, id_column)
    named = (label_column, id_column, split_column, input_columns, image_column)
    if exported_table.is_exported(table) and named == (None,) * len(named):
        table_images.require_none(location, image_size, skip_broken)
        return exported_table.load(table, location, split)
    label = _name(table, location, "label_column", label_column, "label")
    identity = _name(table, location, "id_column", id_column, "id", is_optional=True)
    splits = _name(table, location, "split_column", split_column, "split", is_optional=True)
    rows, training = _rows(table, location, splits, split)
    # The training labels decide the classes, for both splits.
    labels = _values(table, location, label)
    if labels.dtype == object and (labels == "").any():
        raise InputError(
            f"Missing labels in {location}. Expected a label in every row. Received: "
            f"{np.sum(labels == ''):,} empty, first in row {int(np.argmax(labels == ''))}"
        )
    classes = given_labels(labels[training])
    numbers, num_classes, names = given_labels(
        labels[rows], classes.num_classes, classes.class_names
    )
    ids = None if identity is None else _values(table, location, identity)
    options = {"image_size": image_size, "skip_broken": skip_broken}
    if image_column is None:
        table_images.require_none(location, **options)
        special = {label, identity, splits}
        # An exported list of ids names the class beside its number
        others = [name for name in table.column_names if name not in {*special, CLASS_NAME}]
        inputs = input_columns or others
        if leaked := sorted(special & set(inputs), key=str):
            raise InputError(
                f"Invalid `input_columns`. Expected columns of inputs in {location}. Received: "
                f"{leaked[0]!r}, the column of labels, ids or splits"
            )
        stored = given_inputs(_columns(table, location, inputs, rows), len(numbers))
        ids = np.flatnonzero(rows) if ids is None else ids[rows]
    else:
        _name(table, location, "image_column", image_column, None)
        paths = _values(table, location, image_column)
        ids = paths if ids is None else ids
        stored, numbers, ids = table_images.load(location, paths, ids, numbers, rows, **options)
    return Examples(stored, numbers, ids, num_classes, kind, split or "train", names)


load_csv = functools.partial(load, "csv")
load_parquet = functools.partial(load, "parquet")


def _read(kind, location, id_column):
    """Returns the table in a file. Ids of a CSV file stay as they are written, such as 007."""
    # Imported here, because `--help` does without it.
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    types = dict.fromkeys(["id"] if id_column is None else [id_column], pa.string())
    try:
        # A pipe or a device might not end.
        if not Path(location).is_file():
            raise OSError(None, "no such file" if not Path(location).exists() else "not a file")
        if kind == "parquet":
            return pa.parquet.read_table(location)
        options = pa.csv.ConvertOptions(column_types=types)
        return pa.csv.read_csv(location, convert_options=options)
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"Cannot read {location}. Expected a {kind} file with a header of column names. "
            f"Received: {reason}"
        ) from error


def _name(table, location, option, name, default, is_optional=False):
    """Returns the name of a column, `None` if it is optional and missing."""
    known = table.column_names
    if name is None and default not in known and is_optional:
        return None
    name = default if name is None else name
    if known.count(name) != 1:
        raise InputError(
            f"Cannot find the column {name!r} of `dataset.{option}` in {location}. Expected one of "
            f"{', '.join(known)}. Received: {known.count(name)} columns of that name"
        )
    return name


def _rows(table, location, column, split):
    """Returns two masks of the rows: those of a split, and those of the training split."""
    if split is None and column is not None:
        raise InputError(
            f"Invalid `test_fraction`. Expected none, because {location} has the column {column!r} "
            "of splits. Leave out the option, or the column."
        )
    if split is None or (split == "train" and column is None):
        return np.full(len(table), True), np.full(len(table), True)
    if column is None:
        raise InputError(
            f"No test examples in {location}. Expected a column `split` with the entries train and "
            f"test. Received: {', '.join(table.column_names)}. Set `split_column` to the name of "
            "another column, or `test_fraction` to the fraction of the rows to test with."
        )
    entries = _values(table, location, column)
    names = set(entries.tolist())
    # As for folders, the first test split that is there counts.
    test = next((name for name in TEST_NAMES if name in names), "test")
    masks = [entries == (test if name == "test" else name) for name in (split, "train")]
    for name, mask in zip((split, "train"), masks, strict=True):
        if not mask.any():
            raise InputError(
                f"No rows of the split {name!r} in {location}. Expected some in the column "
                f"{column!r}. Received: {', '.join(map(str, np.unique(entries)[:5]))}"
            )
    others = sorted(map(str, names - {"train", test}))
    if others:
        count = len(entries) - np.isin(entries, ["train", test]).sum()
        warnings.warn(
            f"Left out of {location}: {count:,} rows of the splits {', '.join(others[:5])}. "
            f"Expected train or {test} in the column {column!r}.",
            UserWarning,
            stacklevel=4,
        )
    return masks


def _values(table, location, name):
    """Returns a column as an array of numbers, booleans or strings."""
    import pyarrow as pa

    column = table[name].combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise InputError(
            f"Missing values in {location}. Expected a value in every row. Received: "
            f"{column.null_count:,} missing in the column {name!r}, first in row {row}"
        )
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.array(column.to_pylist(), dtype=object)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return column.to_numpy(zero_copy_only=False)
    raise InputError(
        f"Cannot use the column {name!r} of {location}. Expected numbers, booleans or text. "
        f"Received: {kind}. Leave it out by `dataset.input_columns`."
    )


def _columns(table, location, names, rows):
    """Returns columns as one array, or as a dictionary if they cannot be one."""
    for name in names:
        _name(table, location, "input_columns", name, None)
    if not names:
        raise InputError(
            f"No inputs in {location}. Expected columns beside the label. "
            f"Received: {', '.join(table.column_names)}"
        )
    columns = [_values(table, location, name)[rows] for name in names]
    if all(column.dtype != object for column in columns):
        kind = np.result_type(*columns)
        return np.stack([column.astype(kind) for column in columns], axis=1)
    return columns[0] if len(columns) == 1 else dict(zip(names, columns, strict=True))
