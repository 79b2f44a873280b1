"""Reads and writes columns with metadata as Parquet files, for score tables and subsets."""

import json
from pathlib import Path

from keras_pruning.errors import InputError


def write(path, kind, columns, metadata):
    """Writes columns as a Parquet file, with metadata as JSON.

    Args:
        path: path of the file.
        kind: string that names the kind of table, for example `"keras_pruning.scores"`.
        columns: dictionary from names to arrays of the same length.
        metadata: any value that JSON can store.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    table = table.replace_schema_metadata({"kind": kind, "metadata": json.dumps(metadata)})
    # A dictionary of unique ids would only take space.
    dictionary = [name for name in columns if name != "id"]
    pq.write_table(table, path, compression="zstd", use_dictionary=dictionary)


def read(path, kind):
    """Reads a file that `write` wrote.

    Args:
        path: path of the file.
        kind: kind of table, as for `write`.

    Returns:
        Tuple of a dictionary from names to NumPy arrays, and the metadata.

    Raises:
        InputError: if the file is missing, cannot be read, or is not a table of this kind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not Path(path).is_file():
        raise InputError(f"Missing file. Expected a Parquet file of {kind}. Received: {path}")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"Cannot read {path} as Parquet: {reason}. The file may be truncated. Create it again."
        ) from error
    recorded = table.schema.metadata or {}
    if recorded.get(b"kind") != kind.encode():
        received = recorded.get(b"kind", b"another program").decode(errors="replace")
        raise InputError(
            f"{path} is another kind of file. Expected a Parquet file of {kind}. "
            f"Received: a Parquet file of {received}"
        )
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return columns, json.loads(recorded[b"metadata"])
