"""Columns with metadata as Parquet files: what score tables and subsets are stored in."""

import json
from pathlib import Path

from keras_pruning.errors import InputError


def write(path, kind, columns, metadata):
    """Writes `columns`, a dictionary of arrays of one length, with `metadata` as JSON.

    Args:
        path: the file.
        kind: what the table is; `read` insists on it.
        columns: dictionary of arrays.
        metadata: anything that JSON holds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    table = table.replace_schema_metadata({"kind": kind, "metadata": json.dumps(metadata)})
    # Ids repeat nothing, so a dictionary of them only costs.
    dictionary = [name for name in columns if name != "id"]
    pq.write_table(table, path, compression="zstd", use_dictionary=dictionary)


def read(path, kind):
    """Reads what `write` wrote: a dictionary of NumPy arrays and the metadata.

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
            f"Cannot read {path} as Parquet: {reason}. The file may be truncated; make it again."
        ) from error
    recorded = table.schema.metadata or {}
    if recorded.get(b"kind") != kind.encode():
        raise InputError(f"{path} is something else. Expected a Parquet file of {kind}.")
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return columns, json.loads(recorded[b"metadata"])
