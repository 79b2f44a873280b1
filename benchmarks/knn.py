"""Exact nearest neighbours: against the bare matrix product, scikit-learn and FAISS.

The last row is of saturated softmax outputs, whose distances float32 cannot tell apart.

Each has a process of its own with all threads, and they are called in turn. Every vector is both
query and support, and is not its own neighbour. FAISS cannot exclude it and finds one more
neighbour.

python benchmarks/knn.py [VECTORS] [DIMENSIONS] [K] [REPETITIONS]
"""

import importlib.util

from rows import Row, main, say
from timing import THREADS, ratios, seconds, tensorflow
from turns import in_turn

CHECKED = 2000
CLASSES, MARGIN = 10, 25


def vectors(num_vectors, dimensions):
    import numpy as np

    return np.random.default_rng(0).standard_normal((num_vectors, dimensions), dtype=np.float32)


def ours(num_vectors, dimensions, k):
    import numpy as np

    tensorflow()
    from keras_pruning.embeddings.neighbors import nearest

    x, own = vectors(num_vectors, dimensions), np.arange(num_vectors)
    return lambda: nearest(x, x, k, exclude=own)


def softmax_outputs(num_vectors):
    """Returns softmax outputs whose largest logit is far above the others."""
    import numpy as np

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(num_vectors, CLASSES))
    logits[np.arange(num_vectors), rng.integers(0, CLASSES, num_vectors)] += MARGIN
    outputs = np.exp(logits)
    return (outputs / outputs.sum(axis=1, keepdims=True)).astype(np.float32)


def saturated(num_vectors, k):
    import numpy as np

    tensorflow()
    from keras_pruning.embeddings.neighbors import nearest

    x, own = softmax_outputs(num_vectors), np.arange(num_vectors)
    return lambda: nearest(x, x, k, exclude=own)


def unsaturated(num_vectors, k):
    return ours(num_vectors, CLASSES, k)


def product(num_vectors, dimensions, k):
    """Returns the faster of the whole product and the product in blocks, without their results."""
    tf = tensorflow()
    x = tf.constant(vectors(num_vectors, dimensions))
    multiply = tf.function(lambda a, b: tf.matmul(a, b, transpose_b=True), reduce_retracing=True)
    parts = [x[start : start + CHECKED] for start in range(0, num_vectors, CHECKED)]

    def whole():
        multiply(x, x)

    def in_blocks():
        for part in parts:
            multiply(x, part)

    whole(), in_blocks()
    taken = {function: min(seconds(function), seconds(function)) for function in (whole, in_blocks)}
    return min(taken, key=taken.get)


def scikit_learn(num_vectors, dimensions, k):
    from sklearn.neighbors import NearestNeighbors

    x = vectors(num_vectors, dimensions)
    return lambda: NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()


def faiss_flat(num_vectors, dimensions, k):
    import faiss

    faiss.omp_set_num_threads(THREADS)
    x = vectors(num_vectors, dimensions)

    def search():
        index = faiss.IndexFlatL2(dimensions)
        index.add(x)
        index.search(x, k + 1)

    return search


def agreement(num_vectors, dimensions, k):
    """Returns the percentage of scikit-learn's float64 neighbours of some queries that are ours.

    Distances of random vectors have no ties.
    """
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    from keras_pruning.embeddings.neighbors import nearest

    x = vectors(num_vectors, dimensions)
    queries = np.random.default_rng(1).permutation(num_vectors)[:CHECKED]
    found = nearest(x, x, k, exclude=np.arange(num_vectors))[0][queries]
    exact = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(x.astype(np.float64))
    expected = exact.kneighbors(x[queries].astype(np.float64), return_distance=False)[:, 1:]
    shared = [len(np.intersect1d(*rows)) for rows in zip(found, expected, strict=True)]
    return 100 * sum(shared) / expected.size


REFERENCES = {
    "the matrix product alone": product,
    "scikit-learn, brute": scikit_learn,
    "FAISS, IndexFlatL2": faiss_flat,
}


def measure(num_vectors=20_000, dimensions=512, k=30, repetitions=5):
    from keras_pruning.jobs.local import run_each

    options = {"num_vectors": num_vectors, "dimensions": dimensions, "k": k}
    contestants = {"ours": ours, **REFERENCES}
    if importlib.util.find_spec("faiss") is None:
        say("faiss is not installed: without its row. See benchmarks/requirements.txt")
        contestants.pop("FAISS, IndexFlatL2")
    turns = in_turn({name: (make, options) for name, make in contestants.items()}, repetitions)
    mine = turns.pop("ours")
    work = f"`nearest`, {num_vectors:,} × {num_vectors:,} × {dimensions}, k = {k}"
    for name, other in turns.items():
        yield Row(work, name, **ratios(mine.seconds, other.seconds), peak=mine.peak)
    options = {"num_vectors": num_vectors, "k": k}
    pair = {"saturated": (saturated, options), "random": (unsaturated, options)}
    pair = in_turn(pair, repetitions)
    yield Row(
        f"`nearest`, {num_vectors:,} saturated softmax outputs of {CLASSES} classes",
        f"as many random vectors of {CLASSES} dimensions",
        **ratios(pair["saturated"].seconds, pair["random"].seconds),
        peak=pair["saturated"].peak,
    )
    options = {"num_vectors": num_vectors, "dimensions": dimensions, "k": k}
    (percentage,) = run_each(agreement, [options], 1, THREADS, "agreement")
    work = f"neighbours that are the same, {min(CHECKED, num_vectors):,} queries"
    yield Row(work, "scikit-learn in float64", percentage, unit="%")


if __name__ == "__main__":
    main(measure)
