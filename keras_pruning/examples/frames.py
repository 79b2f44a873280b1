"""Reads pandas data frames and series as the `fit` of Keras does, with their index as ids."""

import numpy as np

from keras_pruning.errors import InputError


def arrays_of(x, name="x"):
    """Returns the arrays of a data frame or a series, and anything else as it is.

    A frame of numbers becomes one array `(examples, columns)`, as the `fit` of Keras reads it. If a
    column holds text or categories, a frame becomes a dictionary of its columns by name. Frames and
    series inside of dictionaries, tuples and lists are read too.

    Raises:
        InputError: if a value is missing, or if the name of a column is no string.
    """
    if isinstance(x, dict):
        return {key: arrays_of(part, f"{name}[{key!r}]") for key, part in x.items()}
    if isinstance(x, tuple) or (isinstance(x, list) and any(map(_is_pandas, x))):
        return type(x)(arrays_of(part, f"{name}[{key}]") for key, part in enumerate(x))
    if not _is_pandas(x):
        return x
    if x.ndim == 2 and name == "y" and x.shape[1] == 1:
        x = x.iloc[:, 0]
    if x.ndim == 1:
        column = _column(x, name)
        # As the `fit` of Keras reads a series of numbers. It refuses other series.
        is_input = name.partition("[")[0] == "x" and column.dtype.kind in "biuf"
        return column[:, np.newaxis] if is_input else column
    columns = list(x.columns)
    if all(kind.kind in "biuf" for kind in _numpy_dtypes(x)):
        for column in columns:
            _require_complete(x[column], f"{name}[{column!r}]")
        return x.to_numpy(np.result_type(*_numpy_dtypes(x)))
    if not all(isinstance(column, str) for column in columns) or len(set(columns)) < len(columns):
        raise InputError(
            f"Invalid columns of `{name}`. Expected different names that are strings. "
            f"Received: {columns[:10]}"
        )
    return {column: arrays_of(x[column], f"{name}[{column!r}]") for column in columns}


def index_of(*values):
    """Returns the index of the first data frame or series among `values`, `None` without one.

    The index of a frame that nobody has chosen, 0 … N - 1, counts as none.

    Raises:
        InputError: if two of them have another index.
    """
    indices = [index for value in values for index in _indices(value)]
    if not indices:
        return None
    for other in indices[1:]:
        if not indices[0].equals(other):
            raise InputError(
                "The rows of `x` and `y` differ. Expected the same index in the same order. "
                f"Received: {_shown(indices[0])} and {_shown(other)}. Align them by "
                "`y.loc[x.index]`, or pass arrays by `.to_numpy()`."
            )
    index = indices[0]
    if type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1):
        return None
    if index.dtype.kind not in "iuO":
        raise InputError(
            "The index of `x` cannot be the ids. Expected strings or integers. Received: "
            f"{index.dtype}. Pass `ids`, for example `ids=x.index.astype(str)`, or call "
            "`x.reset_index(drop=True)`."
        )
    if not index.is_unique:
        raise InputError(
            "The index of `x` cannot be the ids. Expected an index without repeats. Received: "
            f"{index[index.duplicated()][0]!r} more than once. Pass `ids`, or call "
            "`x.reset_index(drop=True)`."
        )
    if index.nlevels > 1:
        return ["/".join(map(str, entry)) for entry in index]
    return index.to_numpy()


def _indices(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [part.index for part in value if _is_pandas(part)]
    return [value.index] if _is_pandas(value) else []


def _is_pandas(value):
    """Returns whether a value is a data frame or a series. Does not import pandas."""
    kind = type(value)
    return kind.__module__.partition(".")[0] == "pandas" and kind.__name__ in (
        "DataFrame",
        "Series",
    )


def _numpy_dtypes(frame):
    """Returns the NumPy dtype of each column, objects for text and categories."""
    # The dtypes of pandas that allow missing values have the NumPy dtype of their values.
    return [
        np.dtype(getattr(kind, "numpy_dtype", kind) if _is_numeric(kind) else object)
        for kind in frame.dtypes
    ]


def _is_numeric(kind):
    return getattr(kind, "kind", "O") in "biuf"


def _column(series, name):
    """Returns a series as an array of numbers or of strings."""
    _require_complete(series, name)
    if _is_numeric(series.dtype):
        return series.to_numpy(np.dtype(getattr(series.dtype, "numpy_dtype", series.dtype)))
    values = series.to_numpy(object)
    # Categories may be numbers.
    if series.dtype.name == "category" and not isinstance(values.flat[0], str):
        return np.asarray(values.tolist())
    return values


def _require_complete(series, name):
    missing = series.isna().to_numpy()
    if missing.any() and not (series.dtype.kind == "f" and isinstance(series.dtype, np.dtype)):
        position = int(np.argmax(missing))
        raise InputError(
            f"Missing values in `{name}`. Expected a value for every example. "
            f"Received: {int(missing.sum())} missing, first at position {position}. "
            "Fill them by `fillna`, or drop the rows by `dropna`."
        )


def _shown(index):
    return f"{list(index[:3])} … of {len(index)}"
