"""Reads scores from CSV files with a column of ids, whose rows are in any order."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.strings import as_arrow

ID, SCORE = "id", "score"
# Most ids that a message names.
_SHOWN = 3


def read(path, name, ids):
    """Returns a column of a CSV file, matched by id.

    The file has a header with the column `id` and a column of numbers, which is called like the
    score or `score`.

    Args:
        path: path of the file.
        name: name of the score.
        ids: strings `(examples,)`, unique.

    Raises:
        InputError: if the file is damaged or a column is missing, or if an id is missing, unknown
            or there twice.
    """
    import pyarrow.compute as pc

    names, values = _columns(path, name)
    # Find the row of each id, then require every row once
    positions = pc.index_in(names, value_set=as_arrow(ids))
    if positions.null_count:
        unknown = names.filter(pc.is_null(positions))
        raise _other_examples(path, "ids of these examples only", "unknown", unknown)
    rows = positions.to_numpy()
    counts = np.bincount(rows, minlength=len(ids))
    for kind, wrong in (("repeated", counts > 1), ("missing", counts == 0)):
        if wrong.any():
            raise _other_examples(path, "every id once", kind, as_arrow(ids[wrong]))
    # Scatter the values by row
    ordered = np.empty(len(ids), values.dtype)
    ordered[rows] = values
    return ordered


def _columns(path, name):
    """Returns the ids, a `pyarrow.ChunkedArray`, and the float64 scores of a file."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    try:
        # The header says which columns to read, and ids such as 007 stay text
        with arrow_csv.open_csv(path) as reader:
            names = reader.schema.names
        column = _score_column(path, name, names)
        options = arrow_csv.ConvertOptions(
            column_types={ID: pa.string(), column: pa.float64()}, include_columns=[ID, column]
        )
        table = arrow_csv.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"Cannot read the scores in {path}. Expected a CSV file of ids and numbers. "
            f"Received: {str(error).splitlines()[0]}"
        ) from error
    if table[column].null_count:
        empty = table[ID].filter(table[column].is_null())
        raise InputError(
            f"Invalid scores `{name}` in {path}. Expected a number in every row. Received: none "
            f"for {_listed(empty)}"
        )
    return table[ID], table[column].to_numpy()


def _score_column(path, name, names):
    """Returns the name of the column of scores in a header."""
    # Any other column may be another score or the labels
    column = name if name in names else SCORE
    if names.count(ID) != 1 or names.count(column) != 1:
        raise InputError(
            f"Cannot find the scores in {path}. Expected a header with the column {ID!r} and the "
            f"column {name!r} or {SCORE!r}. Received: {', '.join(names)[:200]}"
        )
    return column


def _other_examples(path, expected, kind, ids):
    return InputError(
        f"The scores in {path} are of other examples. Expected {expected}. Received: "
        f"{len(ids):,} {kind}, {_listed(ids)}"
    )


def _listed(ids):
    """Returns the first of some ids as text."""
    shown = ", ".join(map(repr, ids[:_SHOWN].to_pylist()))
    return f"{shown}{', …' if len(ids) > _SHOWN else ''}"
