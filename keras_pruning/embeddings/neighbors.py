"""Exact k nearest neighbours and their vote, in blocks, on the device that TensorFlow uses."""

from functools import partial

import numpy as np

from keras_pruning.backend.tensorflow.neighbor_search import Search, exact_products, slices
from keras_pruning.embeddings.directions import EUCLIDEAN, METRICS, directions
from keras_pruning.errors import InputError, unknown


def nearest(
    queries,
    support,
    k,
    support_rows=None,
    exclude=None,
    metric=EUCLIDEAN,
    memory_limit=2**29,
):
    """Finds the k support vectors with the smallest distance to each query.

    Candidates come from q·s − ‖s‖²/2 of centred float32 vectors, one matrix product for each block.
    Distances are recomputed from the differences of the vectors if they are small or if rounding
    leaves their order open. If a neighbour may be missing among the float32 candidates of a query,
    the query is searched again in float64, and finally by differences from the whole support.
    Equal distances are ordered by row.

    Args:
        queries: floats `(queries, dimensions)`, an array or a memory map.
        support: floats `(support, dimensions)`, an array or a memory map.
        k: number of neighbours, at most the number of support vectors that are not excluded.
        support_rows: ascending integers `(used,)`, the rows of `support` to search. Defaults to
            all.
        exclude: integers `(queries,)`, the row of `support` that is no neighbour of each query
            (usually the query itself), -1 for none.
        metric: `"euclidean"`, or `"cosine"` for 1 − the cosine of the angle.
        memory_limit: number of bytes for the blocks. It determines the number of rows in a block.

    Returns:
        Tuple of the rows in `support`, int64 `(queries, k)`, nearest first, and the distances,
        float32 of the same shape, correct to at least three digits.

    Raises:
        InputError: if there are fewer than k neighbours, or if a vector is zero and the metric is
            `"cosine"`.
    """
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS)
    usable = len(support if support_rows is None else support_rows) - (exclude is not None)
    if k > usable:
        raise InputError(f"Too few neighbours. Expected k <= {usable}. Received: k={k}")
    excluded = np.full(len(queries), -1) if exclude is None else np.asarray(exclude, np.int64)
    normalize = None if metric == EUCLIDEAN else partial(directions, "vector")
    with exact_products():
        search = Search(queries, support, k, support_rows, normalize, memory_limit, np.float32)
        rows, squares, unsure = search(np.arange(len(queries)), excluded)
        if unsure.any():
            # Search the doubtful queries again in float64, and the rest of them by differences.
            again = np.flatnonzero(unsure)
            search = Search(queries, support, k, support_rows, normalize, memory_limit, np.float64)
            rows[again], squares[again], unsure = search(again, excluded[again])
            again = again[unsure]
            rows[again], squares[again] = search.by_differences(again, excluded[again])
    # Of unit vectors, half the squared distance is 1 − the cosine.
    distances = np.sqrt(squares) if metric == EUCLIDEAN else squares / 2
    return rows, distances.astype(np.float32)


def vote(labels):
    """Returns the most frequent label among neighbours. The nearest neighbour decides a tie.

    Args:
        labels: integers `(queries, k)`, nearest neighbour first.

    Returns:
        Integers `(queries,)`.
    """
    winners = np.empty(len(labels), labels.dtype)
    # In blocks, because all pairs of neighbours are compared.
    for part in slices(len(labels), max(1, 2**22 // labels.shape[1] ** 2)):
        block = labels[part]
        votes = (block[:, :, np.newaxis] == block[:, np.newaxis, :]).sum(axis=2)
        # The first maximum belongs to the nearest neighbour among those whose class is tied.
        winners[part] = block[np.arange(len(block)), votes.argmax(axis=1)]
    return winners
