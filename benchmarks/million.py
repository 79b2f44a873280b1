"""Neighbours among a million vectors on disk: time and memory under several memory limits.

The file has just been written, so the system may still cache it in memory.

python benchmarks/million.py [SUPPORT] [DIMENSIONS] [QUERIES] [REPETITIONS] [MEBIBYTES ...]
"""

import tempfile
from pathlib import Path

from rows import Row, main
from timing import ratios, tensorflow
from turns import in_turn

K = 30
BLOCK = 8192


def write(path, num_vectors, dimensions):
    import numpy as np

    draw = np.random.default_rng(0).standard_normal
    shape = (num_vectors, dimensions)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, num_vectors, BLOCK):
        part = file[start : start + BLOCK]
        part[:] = draw(part.shape, dtype=np.float32)


def inputs(path, num_queries):
    import numpy as np

    support = np.load(path, mmap_mode="r")
    shape = (num_queries, support.shape[1])
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32), support


def ours(path, num_queries, limit):
    tensorflow()
    from keras_pruning.embeddings.neighbors import nearest

    queries, support = inputs(path, num_queries)
    return lambda: nearest(queries, support, K, memory_limit=limit * 2**20)


def product(path, num_queries):
    """Returns a function that computes the matrix product alone, in blocks read from the file."""
    tf = tensorflow()
    queries, support = inputs(path, num_queries)
    queries = tf.constant(queries)

    def multiply():
        for start in range(0, len(support), BLOCK):
            tf.matmul(queries, tf.constant(support[start : start + BLOCK]), transpose_b=True)

    return multiply


def measure(num_vectors=1_000_000, dimensions=128, num_queries=2000, repetitions=3, *limits):
    limits = limits or (64, 256, 1024)
    with tempfile.TemporaryDirectory(prefix="keras_pruning-") as folder:
        path = Path(folder) / "support.npy"
        write(path, num_vectors, dimensions)
        options = {"path": path, "num_queries": num_queries}
        contestants = {limit: (ours, {**options, "limit": limit}) for limit in limits}
        turns = in_turn({**contestants, "product": (product, options)}, repetitions)
    reference = turns.pop("product")
    for limit, mine in turns.items():
        work = f"`nearest`, {num_queries:,} × {num_vectors:,} × {dimensions}, limit {limit} MiB"
        yield Row(
            work,
            "the matrix product alone, from the file",
            **ratios(mine.seconds, reference.seconds),
            peak=mine.peak,
        )
        yield Row.of_one_pair(
            "its peak without the pages of the file",
            "`memory_limit`",
            mine.anonymous,
            limit,
            unit="MiB",
        )


if __name__ == "__main__":
    main(measure)
