"""A score table of ten million rows: files, probes together, and policies that need scores only.

python benchmarks/ten_million.py [ROWS] [CLASSES] [REPETITIONS]
"""

import tempfile
import time
import warnings
from pathlib import Path

from rows import Row, main
from timing import paired, ratios
from turns import in_turn

KEEP_FRACTION = 0.3
PROBES = 3
SCORES = {"el2n": True, "confidence": False}


def made(num_rows, num_classes):
    """Returns a table of random scores, its ids the positions."""
    import numpy as np

    from keras_pruning import ScoreTable

    rng = np.random.default_rng(0)
    scores = {name: rng.random(num_rows, np.float32) for name in SCORES}
    return ScoreTable.from_scores(None, rng.integers(0, num_classes, num_rows), scores, SCORES)


def load(path):
    # Imported before the call that is measured, as all of its libraries
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from keras_pruning import ScoreTable

    return lambda: ScoreTable.load(path)


def read(path):
    """Returns a function that reads the columns alone, without any check or conversion."""
    import pyarrow.parquet

    return lambda: pyarrow.parquet.read_table(path)


def _methods():
    """Yields every policy that needs no embedding, with and without a quota."""
    from keras_pruning.selection import POLICIES
    from keras_pruning.selection.candidates import EMBEDDING

    for name, policy in POLICIES.items():
        if EMBEDDING not in policy.needs:
            yield from ((name, quota) for quota in (None, "balanced"))


def measure(num_rows=10_000_000, num_classes=1000, repetitions=3):
    table = made(num_rows, num_classes)
    with tempfile.TemporaryDirectory(prefix="keras_pruning-") as folder:
        yield from _of_files(table, Path(folder), repetitions)
        yield from _of_csv(table, Path(folder), repetitions)
    yield from _of_probes(table, repetitions)
    yield from _of_selection(table, repetitions)


def _of_files(table, folder, repetitions):
    """Yields the rows about saving and loading."""
    import pyarrow as pa
    import pyarrow.parquet

    size = f"{len(table):,} rows, {len(SCORES)} scores"
    path = folder / "scores.parquet"
    table.save(path)
    plain = pa.parquet.read_table(path)
    taken = paired(
        lambda: table.save(path, overwrite=True),
        lambda: pa.parquet.write_table(plain, folder / "plain.parquet", compression="zstd"),
        repetitions,
    )
    yield Row(f"save a table, {size}", "`pyarrow.parquet.write_table`", **taken)
    turns = in_turn({"ours": (load, {"path": path}), "it": (read, {"path": path})}, repetitions)
    taken = ratios(turns["ours"].seconds, turns["it"].seconds)
    peak = turns["ours"].peak
    yield Row(f"load a table, {size}", "`pyarrow.parquet.read_table`", **taken, peak=peak)


def _of_csv(table, folder, repetitions):
    """Yields the row about CSV."""
    import pyarrow as pa
    import pyarrow.csv

    from keras_pruning.examples.strings import as_arrow

    columns = {"id": as_arrow(table.ids), "label": table.labels}
    plain = pa.table(columns | {name: table[name] for name in SCORES})
    path = folder / "scores.csv"
    taken = paired(
        lambda: table.to_csv(path, overwrite=True),
        lambda: pa.csv.write_csv(plain, folder / "plain.csv"),
        repetitions,
    )
    yield Row(f"`to_csv`, {len(table):,} rows", "`pyarrow.csv.write_csv`", **taken)


def _of_probes(table, repetitions):
    """Yields the row about the scores of several probes."""
    import numpy as np

    from keras_pruning import ScoreTable

    rng, probes = np.random.default_rng(1), []
    for _ in range(PROBES):
        scores = {name: table[name] + rng.random(len(table), np.float32) for name in SCORES}
        probes.append(ScoreTable(table.ids, table.labels, scores, metadata=table.metadata))
    taken = paired(
        lambda: ScoreTable.over_seeds(probes),
        lambda: [np.argsort(probe[name]) for probe in probes for name in SCORES],
        repetitions,
    )
    what = f"`over_seeds` of {PROBES} tables, {len(table):,} rows, {len(SCORES)} scores"
    yield Row(what, "`numpy.argsort` of each score of each", **taken)


def _of_selection(table, repetitions):
    """Yields the rows about the policies."""
    import numpy as np

    from keras_pruning import select

    # It belongs to the table, so that only the first selection computes it
    start = time.perf_counter()
    table.digest  # noqa: B018
    seconds = time.perf_counter() - start
    yield Row(f"the digest of a table, once, {len(table):,} rows", "", seconds)
    for name, quota in _methods():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            taken = paired(
                lambda name=name, quota=quota: select(table, "el2n", KEEP_FRACTION, name, quota),
                lambda: np.argsort(table["el2n"]),
                repetitions,
            )
        method = f"{name}, {quota}" if quota else name
        yield Row(f"`select`, {method}", "`numpy.argsort` of the scores", **taken)


if __name__ == "__main__":
    main(measure)
