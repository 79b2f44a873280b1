"""Reads and writes columns with metadata as Parquet files, for score tables and subsets."""

import contextlib
import hashlib
import json
import warnings
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.strings import as_arrow
from keras_pruning.storage import json_text
from keras_pruning.storage.json_files import damaged, without_digest


def write(path, kind, columns, metadata):
    """Writes columns as a Parquet file, with metadata as JSON and a digest of both.

    Args:
        path: path of the file.
        kind: string that names the kind of table, for example `"keras_pruning.scores"`.
        columns: dictionary from names to arrays of the same length.
        metadata: any value that JSON can store.
    """
    import pyarrow.parquet as pq

    table, text = _as_arrow(columns), json_text(metadata)
    header = {
        "kind": kind,
        "metadata": text,
        "digest": _digest(table, kind.encode(), text.encode()),
    }
    # A dictionary of unique ids, or of floats that hardly repeat, would only take time
    dictionary = [name for name in columns if name != "id" and columns[name].dtype.kind != "f"]
    pq.write_table(
        table.replace_schema_metadata(header),
        path,
        compression="zstd",
        use_dictionary=dictionary,
        write_page_checksum=True,
    )


def read(path, kind):
    """Reads a file that `write` wrote.

    Warns if the file has no digest.

    Args:
        path: path of the file.
        kind: kind of table, as for `write`.

    Returns:
        Tuple of a dictionary from names to columns, and the metadata, a dictionary. A column is
        a NumPy array, read-only, or a `pyarrow.ChunkedArray` of strings, which `checked_ids` takes.

    Raises:
        InputError: if the file is missing, damaged, or is not a table of this kind.
    """
    table = _read_arrow(path)
    header = table.schema.metadata or {}
    if header.get(b"kind") != kind.encode():
        received = header.get(b"kind", b"another program").decode(errors="replace")
        raise InputError(
            f"{path} is another kind of file. Expected a Parquet file of {kind}. "
            f"Received: a Parquet file of {received}"
        )
    # Check columns and digest before anything is converted
    _require_plain_columns(path, table)
    text, recorded = header.get(b"metadata", b""), header.get(b"digest")
    if recorded is None:
        warnings.warn(without_digest(path), UserWarning, stacklevel=3)
    elif recorded != _digest(table, kind.encode(), text).encode():
        raise InputError(damaged(path))
    columns = dict(zip(table.column_names, table.columns, strict=True))
    # Release the memory of a column as soon as it is converted
    del table
    for name in list(columns):
        columns[name] = _plain(columns.pop(name))
    return columns, _metadata(path, text)


def digest(columns):
    """Returns a hash over names, types, values and order of columns, 32 hexadecimal digits.

    Args:
        columns: as for `write`.
    """
    return _digest(_as_arrow(columns))


@contextlib.contextmanager
def named_in_errors(path):
    """Adds the name of a file to every `InputError` of a block that makes a table of it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"Cannot use {path}. {error} Make the file again.") from error


def _as_arrow(columns):
    import pyarrow as pa

    return pa.table(
        {
            name: as_arrow(values) if values.dtype.kind in "TU" else pa.array(values)
            for name, values in columns.items()
        }
    )


def _plain(column):
    import pyarrow.types as types

    if types.is_string(column.type):
        return column
    values = column.to_numpy()
    # Nobody else has the values, so that a table takes them without a copy
    values.flags.writeable = False
    return values


def _read_arrow(path):
    """Returns the table in a Parquet file, with the checksums of its pages verified."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if Path(path).is_dir():
        raise InputError(f"{path} is a folder. Expected a Parquet file. Name a file inside it.")
    if not Path(path).is_file():
        raise InputError(f"Missing file. Expected a Parquet file. Received: {path}")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"Cannot read {path} as Parquet: {reason}. Expected a file that this package wrote. "
            "Received: another kind of file, or one that is truncated or damaged. Create it again."
        ) from error
    return table


def _require_plain_columns(path, table):
    """Raises an `InputError` unless the columns have strings, numbers or booleans in each row."""
    import pyarrow.types as types

    tests = (types.is_string, types.is_boolean, types.is_integer, types.is_floating)
    for field, column in zip(table.schema, table.columns, strict=True):
        is_plain = any(test(field.type) for test in tests)
        if not is_plain or column.null_count or table.column_names.count(field.name) > 1:
            raise InputError(
                f"Invalid column {field.name!r} of {path}. Expected strings, numbers or booleans, "
                f"none missing, in one column of that name. Received: {field.type}, "
                f"{column.null_count} missing. Create the file again."
            )


def _metadata(path, text):
    """Returns the metadata in a file, a dictionary."""
    try:
        metadata = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"Cannot read the metadata of {path}: {error}. Expected JSON. Create the file again."
        ) from error
    if not isinstance(metadata, dict):
        raise InputError(
            f"Cannot read the metadata of {path}. Expected a dictionary. "
            f"Received: {type(metadata).__name__}. Create the file again."
        )
    return metadata


def _digest(table, *parts):
    """Returns a hash over a table and further bytes, 32 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        _add(total, part)
    for field, column in zip(table.schema, table.columns, strict=True):
        _add(total, field.name.encode())
        _add(total, str(field.type).encode())
        for length, parts in _contents(column):
            total.update(length.to_bytes(8, "little"))
            for part in parts:
                total.update(part)
    return total.hexdigest()[:32]


def _add(total, part):
    # The length keeps apart parts whose concatenation is the same.
    total.update(len(part).to_bytes(8, "little"))
    total.update(part)


def _contents(column):
    """Yields the values of a column as bytes: of strings their lengths and then their text.

    Returns:
        Tuples of a number of bytes and an iterable of the bytes.
    """
    import pyarrow as pa

    # The chunks of a file do not matter, only the values one after another
    if not pa.types.is_string(column.type):
        parts = [chunk.to_numpy(zero_copy_only=False).view(np.uint8) for chunk in column.chunks]
        yield sum(map(len, parts)), parts
    elif len(column):
        chunks = [_lengths_and_text(chunk) for chunk in column.chunks if len(chunk)]
        yield 4 * len(column), (np.diff(ends).view(np.uint8) for ends, _ in chunks)
        yield sum(len(text) for _, text in chunks), (text for _, text in chunks)


def _lengths_and_text(chunk):
    """Returns the ends of the strings of an Arrow array in its text, int32, and the text."""
    _, places, text = chunk.buffers()
    # An array may be a part of its buffers.
    ends = np.frombuffer(places, np.int32)[chunk.offset :][: len(chunk) + 1]
    return ends, memoryview(text or b"")[ends[0] : ends[-1]]
