"""Centroids of classes and of k-means, and the distances to them, block by block."""

import numpy as np

from keras_pruning.embeddings.directions import COSINE, EUCLIDEAN, directions

# Numbers N x dimensions up to which k-means takes all examples at once. Ten starts on as many take
# about 12 s for 10 clusters and a minute for 100, on one core.
_LARGEST = 2**24
_STARTS, _BATCH, _BLOCK = 10, 4096, 2**22


def class_centroids(vectors, labels, metric=EUCLIDEAN):
    """The mean vector of each class; of unit length, and of unit vectors, for `"cosine"`.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        labels: integers `(examples,)`.
        metric: `"euclidean"` or `"cosine"`.

    Returns:
        Float64 `(largest label + 1, dimensions)`, NaN for a class without examples.

    Raises:
        InputError: for `"cosine"`, if a vector or the mean of a class is zero.
    """
    counts = np.bincount(labels)[:, np.newaxis]
    sums = np.zeros((len(counts), vectors.shape[1]))
    for rows, block in _blocks(vectors, metric):
        of_block = labels[rows]
        for label in np.unique(of_block):
            sums[label] += block[of_block == label].sum(axis=0)
    centroids = np.where(counts, sums / np.maximum(counts, 1), np.nan)
    return directions("mean of the class", centroids) if metric == COSINE else centroids


def kmeans_centroids(vectors, clusters, metric=EUCLIDEAN, seed=0):
    """The centroids of k-means, by scikit-learn: the best of ten starts by k-means++.

    Beyond 2²⁴ numbers in `vectors`, k-means takes a random part with as many (and twenty examples
    a cluster at least), and one pass of mini-batches over all examples moves its centroids on. For
    `"cosine"` the vectors are brought to unit length before, and the centroids after.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        clusters: number of centroids, at most that of examples.
        metric: `"euclidean"` or `"cosine"`.
        seed: integer >= 0; the same seed gives the same bits, whatever the number of threads.

    Returns:
        Float64 `(clusters, dimensions)`.

    Raises:
        InputError: for `"cosine"`, if a vector or a centroid is zero.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    first = max(_LARGEST // vectors.shape[1], 20 * clusters)
    # scikit-learn adds up what its threads have found in the order in which they finish.
    with threadpool_limits(1):
        model = KMeans(clusters, n_init=_STARTS, random_state=seed % 2**32)
        model.fit(_taken(vectors, np.sort(rng.permutation(len(vectors))[:first]), metric))
        if len(vectors) > first:
            start = model.cluster_centers_
            model = MiniBatchKMeans(clusters, init=start, n_init=1, reassignment_ratio=0)
            size = int(np.clip(_LARGEST // vectors.shape[1], clusters, max(_BATCH, clusters)))
            for rows in np.array_split(rng.permutation(len(vectors)), len(vectors) // size):
                model.partial_fit(_taken(vectors, np.sort(rows), metric))
    centroids = model.cluster_centers_.astype(np.float64)
    return directions("centroid of the cluster", centroids) if metric == COSINE else centroids


def nearest_centroid(vectors, centroids, metric=EUCLIDEAN):
    """Which centroid each vector is nearest to.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        centroids: float64 `(clusters, dimensions)`.
        metric: that of the centroids.

    Returns:
        Integers `(examples,)`.
    """
    assigned = np.empty(len(vectors), np.int64)
    # ‖x − c‖² without ‖x‖², around the middle of the centroids, where it loses the fewest digits.
    middle = centroids.mean(axis=0)
    centered = centroids - middle
    squares = (centered**2).sum(axis=1)
    for rows, block in _blocks(vectors, metric, len(centroids)):
        assigned[rows] = (squares - 2 * (block - middle) @ centered.T).argmin(axis=1)
    return assigned


def squared_distances(vectors, centroids, assigned, metric=EUCLIDEAN):
    """‖x − c‖² of each vector and its centroid; for `"cosine"`, of unit length: 2 · (1 − cos).

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        centroids: float64 `(clusters, dimensions)`.
        assigned: integers `(examples,)`, the centroid of each example.
        metric: that of the centroids.

    Returns:
        Float64 `(examples,)`.
    """
    squares = np.empty(len(vectors))
    for rows, block in _blocks(vectors, metric):
        squares[rows] = ((block - centroids[assigned[rows]]) ** 2).sum(axis=1)
    return squares


def _blocks(vectors, metric, width=1):
    """Rows, integers, and their vectors in float64, of unit length for `"cosine"`."""
    size = max(1, _BLOCK // max(vectors.shape[1], width))
    for start in range(0, len(vectors), size):
        rows = np.arange(start, min(start + size, len(vectors)))
        yield rows, _taken(vectors, rows, metric, np.float64)


def _taken(vectors, rows, metric, dtype=np.float32):
    """The vectors at `rows`, integers, of unit length for `"cosine"`."""
    taken = np.asarray(vectors[rows], dtype)
    if metric != COSINE:
        return taken
    return directions("embedding of the example at position", taken, rows)
