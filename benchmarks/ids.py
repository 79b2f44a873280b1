"""Examples with many long ids: seconds, and further peak memory in MiB, of each step.

python benchmarks/ids.py [list | array] [EXAMPLES]
"""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from peak import peaks

from keras_pruning import Examples, ScoreTable

LENGTH = 60


def ids_of(kind, count):
    """Returns ids of 60 characters, as a list of strings or as an array of dtype `U60`."""
    names = [f"{position:08d}".rjust(LENGTH, "/") for position in range(count)]
    return np.array(names) if kind == "array" else names


def main(kind="list", count=5_000_000):
    ids, count = ids_of(kind, int(count)), int(count)
    x, y = np.zeros((count, 1), np.uint8), np.arange(count) % 2
    made = {}
    steps = {
        "from_arrays": lambda: made.update(examples=Examples.from_arrays(x, y, ids)),
        "fingerprint": lambda: made["examples"].fingerprint,
        "draw": lambda: made["examples"].draw(0.5),
        "table": lambda: made.update(table=ScoreTable(made["examples"].ids, y, {"el2n": y})),
        "save": lambda: made["table"].save(path),
        "load": lambda: ScoreTable.load(path),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.parquet"
        for name, step in steps.items():
            start = perf_counter()
            resident, _ = peaks(step)
            print(f"{name:12} {perf_counter() - start:6.2f} s {resident:8,.0f} MiB", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
