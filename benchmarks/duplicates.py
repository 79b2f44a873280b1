"""Near duplicates: against the radius search of scikit-learn.

A twentieth of the vectors are noisy copies of others, on both sides of the threshold. Ours also
groups the vectors and says which to keep. The reference only finds the near pairs. Each has a
process of its own with all threads, and they are called in turn. imagededup, which finds near
duplicates of images, needs the matching build of torchvision. It computes the same products with
scikit-learn and keeps all of them in float16, which is 7 GB for 60,000 vectors.

python benchmarks/duplicates.py [VECTORS] [DIMENSIONS] [REPETITIONS]
"""

from rows import Row, main
from timing import THREADS, ratios, tensorflow
from turns import in_turn

THRESHOLD = 0.05
CHECKED = 6000


def vectors(num_vectors, dimensions):
    import numpy as np

    rng, copies = np.random.default_rng(0), num_vectors // 20
    x = rng.standard_normal((num_vectors, dimensions), dtype=np.float32)
    noise = rng.standard_normal((copies, dimensions), dtype=np.float32)
    # Around the threshold: 1 − cos is 0.044 to 0.056.
    x[-copies:] = x[:copies] + np.linspace(0.305, 0.35, copies, dtype=np.float32)[:, None] * noise
    return x


def ours(num_vectors, dimensions):
    tensorflow()
    from keras_pruning.embeddings.near_duplicates import near_duplicates

    x = vectors(num_vectors, dimensions)
    return lambda: near_duplicates(x, THRESHOLD)


def ours_same(num_vectors, dimensions):
    """Returns the search among equal vectors, all of which are near."""
    import numpy as np

    tensorflow()
    from keras_pruning.embeddings.near_duplicates import near_duplicates

    x = np.repeat(vectors(20, dimensions)[:1], num_vectors, axis=0)
    return lambda: near_duplicates(x, THRESHOLD)


def scikit_learn(num_vectors, dimensions):
    from sklearn.neighbors import NearestNeighbors

    x = vectors(num_vectors, dimensions)
    search = NearestNeighbors(radius=THRESHOLD, metric="cosine", algorithm="brute")
    return lambda: search.fit(x).radius_neighbors(x, return_distance=False)


def agreement(num_vectors, dimensions):
    """Returns the percentage of vectors whose group is that of scikit-learn in float64."""
    import numpy as np
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import radius_neighbors_graph

    from keras_pruning.embeddings.near_duplicates import near_duplicates

    x = vectors(num_vectors, dimensions)
    graph = radius_neighbors_graph(x.astype(np.float64), THRESHOLD, metric="cosine")
    numbers, expected = near_duplicates(x, THRESHOLD).numbers, connected_components(graph)[1]
    together = np.unique(np.stack([numbers, expected]), axis=1, return_counts=True)
    one_to_one = np.bincount(together[0][0])[numbers] == 1
    one_to_one &= np.bincount(together[0][1])[expected] == 1
    return 100 * one_to_one.mean()


def measure(num_vectors=60_000, dimensions=512, repetitions=2):
    from keras_pruning.jobs.local import run_each

    options = {"num_vectors": num_vectors, "dimensions": dimensions}
    name, work = (
        "scikit-learn, radius_neighbors",
        f"`near_duplicates`, {num_vectors:,} × {dimensions}",
    )
    turns = in_turn({"ours": (ours, options), name: (scikit_learn, options)}, repetitions)
    mine, other = turns["ours"], turns[name]
    yield Row(work, name, **ratios(mine.seconds, other.seconds), peak=mine.peak)
    yield Row.of_one_pair(f"{work}, memory", name, mine.peak, other.peak, unit="MiB")
    same = in_turn({"ours": (ours_same, options)}, 1)["ours"]
    work = f"`near_duplicates`, {num_vectors:,} equal vectors"
    yield Row(work, "–", same.seconds[0], peak=same.peak)
    (percentage,) = run_each(
        agreement, [{**options, "num_vectors": CHECKED}], 1, THREADS, "agreement"
    )
    work = f"groups that are the same, {CHECKED:,} vectors"
    yield Row(work, "scikit-learn in float64", percentage, unit="%")


if __name__ == "__main__":
    main(measure)
