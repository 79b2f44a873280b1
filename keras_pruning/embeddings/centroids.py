"""Centroids of classes and of k-means, and distances to them, computed block by block."""

import numpy as np

from keras_pruning.embeddings.directions import COSINE, EUCLIDEAN, directions

# Size N × dimensions up to which k-means reads all examples at once. Ten starts on this size take
# about 12 s for 10 clusters and a minute for 100 clusters, on one core.
_LARGEST = 2**24
# Starts of k-means, examples in a mini-batch, and numbers in a block of distances.
_STARTS, _BATCH, _BLOCK = 10, 4096, 2**22


def class_centroids(vectors, labels, metric=EUCLIDEAN):
    """Returns the mean vector of each class.

    With `"cosine"`, the vectors are scaled to unit length before and the means after.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        labels: integers `(examples,)`.
        metric: `"euclidean"` or `"cosine"`.

    Returns:
        Float64 `(largest label + 1, dimensions)`, NaN for a class without examples.

    Raises:
        InputError: if the metric is `"cosine"` and a vector or the mean of a class is zero.
    """
    # Sum the vectors of each class over all blocks.
    counts = np.bincount(labels)[:, np.newaxis]
    sums = np.zeros((len(counts), vectors.shape[1]))
    for rows, block in _blocks(vectors, metric):
        block_labels = labels[rows]
        for label in np.unique(block_labels):
            sums[label] += block[block_labels == label].sum(axis=0)
    centroids = np.where(counts, sums / np.maximum(counts, 1), np.nan)
    return directions("mean of the class", centroids) if metric == COSINE else centroids


def kmeans_centroids(vectors, clusters, metric=EUCLIDEAN, seed=0):
    """Returns the centroids of scikit-learn's k-means, the best of ten starts with k-means++.

    If `vectors` holds more than 2²⁴ numbers, k-means reads a random draw of that size, with at
    least twenty examples for each cluster. One pass of mini-batches over all examples then updates
    its centroids. With `"cosine"`, the vectors are scaled to unit length before and the centroids
    after.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        clusters: number of centroids, at most the number of examples.
        metric: `"euclidean"` or `"cosine"`.
        seed: integer >= 0. The same seed gives the same bits for any number of threads.

    Returns:
        Float64 `(clusters, dimensions)`.

    Raises:
        InputError: if the metric is `"cosine"` and a vector or a centroid is zero.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    first = max(_LARGEST // vectors.shape[1], 20 * clusters)
    # One thread, because scikit-learn adds the sums of its threads in the order they finish.
    with threadpool_limits(1):
        model = KMeans(clusters, n_init=_STARTS, random_state=seed % 2**32)
        model.fit(_at_rows(vectors, np.sort(rng.permutation(len(vectors))[:first]), metric))
        if len(vectors) > first:
            # Continue from these centroids, with mini-batches of all examples.
            start = model.cluster_centers_
            # Without a state of its own it advances NumPy's global one for large batches.
            model = MiniBatchKMeans(
                clusters, init=start, n_init=1, reassignment_ratio=0, random_state=seed % 2**32
            )
            size = int(np.clip(_LARGEST // vectors.shape[1], clusters, max(_BATCH, clusters)))
            for rows in np.array_split(rng.permutation(len(vectors)), len(vectors) // size):
                model.partial_fit(_at_rows(vectors, np.sort(rows), metric))
    centroids = model.cluster_centers_.astype(np.float64)
    return directions("centroid of the cluster", centroids) if metric == COSINE else centroids


def nearest_centroid(vectors, centroids, metric=EUCLIDEAN):
    """Returns the number of the nearest centroid of each vector.

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        centroids: float64 `(clusters, dimensions)`.
        metric: metric of the centroids.

    Returns:
        Int64 `(examples,)`.
    """
    assigned = np.empty(len(vectors), np.int64)
    # ‖x − c‖² without ‖x‖², relative to the mean of the centroids, where it loses fewest digits.
    middle = centroids.mean(axis=0)
    centered = centroids - middle
    squares = (centered**2).sum(axis=1)
    for rows, block in _blocks(vectors, metric, len(centroids)):
        assigned[rows] = (squares - 2 * (block - middle) @ centered.T).argmin(axis=1)
    return assigned


def squared_distances(vectors, centroids, assigned, metric=EUCLIDEAN):
    """Returns the squared distance ‖x − c‖² of each vector to its centroid.

    With `"cosine"`, both have unit length, and the result is 2 · (1 − cos).

    Args:
        vectors: floats `(examples, dimensions)`, an array or a memory map.
        centroids: float64 `(clusters, dimensions)`.
        assigned: integers `(examples,)`, the number of each example's centroid.
        metric: metric of the centroids.

    Returns:
        Float64 `(examples,)`.
    """
    squares = np.empty(len(vectors))
    for rows, block in _blocks(vectors, metric):
        squares[rows] = ((block - centroids[assigned[rows]]) ** 2).sum(axis=1)
    return squares


def _blocks(vectors, metric, width=1):
    """Yields rows, integers, with their vectors in float64, of unit length for `"cosine"`."""
    size = max(1, _BLOCK // max(vectors.shape[1], width))
    for start in range(0, len(vectors), size):
        rows = np.arange(start, min(start + size, len(vectors)))
        yield rows, _at_rows(vectors, rows, metric, np.float64)


def _at_rows(vectors, rows, metric, dtype=np.float32):
    """Returns the vectors at `rows`, integers, of unit length for `"cosine"`."""
    block = np.asarray(vectors[rows], dtype)
    if metric != COSINE:
        return block
    return directions("embedding of the example at position", block, rows)
