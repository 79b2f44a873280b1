"""Exact k nearest neighbours and their vote, in blocks, on the device that TensorFlow uses."""

from functools import partial

import numpy as np

from keras_pruning.arguments import require_one_of, require_positive_integer, require_seed
from keras_pruning.backend.tensorflow.local_search import search_locally
from keras_pruning.backend.tensorflow.neighbor_search import Search, exact_products, slices
from keras_pruning.embeddings.directions import EUCLIDEAN, METRICS, directions
from keras_pruning.errors import InputError


def nearest(
    queries,
    support,
    k,
    support_rows=None,
    exclude=None,
    metric=EUCLIDEAN,
    memory_limit=2**29,
    seed=0,
):
    """Finds the k support vectors with the smallest distance to each query.

    Candidates come from matrix products of centred float32 vectors. If the queries are the support,
    the product of two vectors is computed once.
    Distances are recomputed from the differences of the vectors if they are small or if rounding
    leaves their order open. If a neighbour may be missing among the float32 candidates of a query,
    the query is searched again in float64, then around a nearby centre, and finally by differences.

    Equal distances are in random order, drawn for each pair of a query and a support vector. All
    support vectors at the distance of the k-th neighbour have the same chance, whatever their
    order.

    Args:
        queries: floats or integers `(queries, dimensions)`, an array or a memory map.
        support: floats or integers `(support, dimensions)`, an array or a memory map.
        k: number of neighbours, at most the number of support vectors that are not excluded.
        support_rows: ascending integers `(used,)`, the rows of `support` to search. Defaults to
            all.
        exclude: integers `(queries,)`, the row of `support` that is no neighbour of each query
            (usually the query itself), -1 for none.
        metric: `"euclidean"`, or `"cosine"` for 1 − the cosine of the angle.
        memory_limit: number of bytes for the blocks. It determines the number of rows in a block.
        seed: integer >= 0, or a sequence of them, the seed of the order of equal distances. The
            rows are the same for any `memory_limit`, the distances up to their last digit.

    Returns:
        Tuple of the rows in `support`, int64 `(queries, k)`, nearest first, and the distances,
        float32 of the same shape, correct to at least three digits.

    Raises:
        InputError: if an argument is invalid, there are fewer than k neighbours, a number is not
            finite, or a vector is zero and the metric is `"cosine"`.
    """
    queries, support = checked_vectors("queries", queries), checked_vectors("support", support)
    if queries.shape[1] != support.shape[1]:
        raise InputError(
            "Queries and support differ. Expected as many dimensions of both. Received: "
            f"queries of shape {queries.shape}, support of shape {support.shape}"
        )
    require_one_of("metric", metric, METRICS)
    for part in np.atleast_1d(np.asarray(seed, object)):
        require_seed(part)
    memory_limit = require_positive_integer("memory_limit", memory_limit)
    support_rows, excluded = _checked_rows(support_rows, exclude, len(queries), len(support))
    usable = len(support if support_rows is None else support_rows) - (exclude is not None)
    k = require_positive_integer("k", k)
    if k is None or k > usable:
        raise InputError(f"Too few neighbours. Expected k <= {usable}. Received: k={k}")
    normalize = None if metric == EUCLIDEAN else partial(directions, "vector")
    options = k, support_rows, normalize, memory_limit, seed
    with exact_products():
        search = Search(queries, support, *options, np.float32)
        rows, squares, unsure = search(np.arange(len(queries)), excluded)
        if unsure.any():
            # Search the doubtful queries again in float64, the rest of them in clusters of nearly
            # equal vectors, and the last by differences.
            again = np.flatnonzero(unsure)
            search = Search(queries, support, *options, np.float64)
            rows[again], squares[again], unsure = search(again, excluded[again])
            _require_finite(squares[again], again)
            again = again[unsure]
            results = rows[again], squares[again]
            unsure = search_locally(search, again, excluded[again], *results)
            rows[again], squares[again] = results
            again = again[unsure]
            if again.size:
                rows[again], squares[again] = search.by_differences(
                    again, excluded[again], rows[again]
                )
    # Of unit vectors, half the squared distance is 1 − the cosine.
    distances = np.sqrt(squares) if metric == EUCLIDEAN else squares / 2
    return rows, distances.astype(np.float32)


def vote(labels):
    """Returns the most frequent label among neighbours. The nearest neighbour decides a tie.

    The nearest among equally near neighbours is the first. `nearest` gives them in random order.

    Args:
        labels: integers `(queries, k)`, nearest neighbour first.

    Returns:
        Integers `(queries,)`.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or not labels.shape[1]:
        raise InputError(
            "Invalid `labels`. Expected the labels of at least one neighbour of each query, of "
            f"shape (queries, k). Received: shape {labels.shape}"
        )
    winners = np.empty(len(labels), labels.dtype)
    # In blocks, because all pairs of neighbours are compared.
    for part in slices(len(labels), max(1, 2**22 // labels.shape[1] ** 2)):
        block = labels[part]
        votes = (block[:, :, np.newaxis] == block[:, np.newaxis, :]).sum(axis=2)
        # The first maximum belongs to the nearest neighbour among those whose class is tied.
        winners[part] = block[np.arange(len(block)), votes.argmax(axis=1)]
    return winners


def checked_vectors(name, vectors):
    """Returns an array of numbers `(vectors, dimensions)`. Raises an `InputError` for any other."""
    try:
        array = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    except (TypeError, ValueError) as error:
        raise _not_vectors(name, f"{type(vectors).__name__} that is no array") from error
    # Numbers of 16 bytes have no counterpart in TensorFlow.
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biuf" or _is_long(array):
        raise _not_vectors(name, f"shape {array.shape} of {array.dtype}")
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise _not_vectors(name, "a masked array. Fill or drop the masked values")
    return array


def _is_long(array):
    return array.dtype.kind == "f" and array.dtype.itemsize > 8


def _not_vectors(name, received):
    return InputError(
        f"Invalid `{name}`. Expected floats or integers of shape (vectors, dimensions). "
        f"Received: {received}"
    )


def _checked_rows(support_rows, exclude, num_queries, num_support):
    """Returns both as int64, without `exclude` as -1. Raises an `InputError` for invalid rows."""
    if support_rows is not None:
        support_rows = _integers("support_rows", support_rows, 0, num_support)
        if (np.diff(support_rows) <= 0).any():
            raise InputError(
                "Invalid `support_rows`. Expected rows in ascending order, each once. Received: "
                "rows out of order"
            )
    if exclude is None:
        return support_rows, np.full(num_queries, -1)
    exclude = _integers("exclude", exclude, -1, num_support)
    if len(exclude) != num_queries:
        raise InputError(
            f"Invalid `exclude`. Expected one row for each of {num_queries} queries. "
            f"Received: {len(exclude)} rows"
        )
    return support_rows, exclude


def _integers(name, values, lowest, end):
    """Returns int64 `(values,)`. Raises an `InputError` unless all are in [lowest, end)."""
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise InputError(
            f"Invalid `{name}`. Expected integers of shape (rows,). "
            f"Received: shape {values.shape} of {values.dtype}"
        )
    if values.size and not lowest <= values.min() <= values.max() < end:
        raise InputError(
            f"Invalid `{name}`. Expected rows from {lowest} to {end - 1}. "
            f"Received: rows from {values.min()} to {values.max()}"
        )
    return values.astype(np.int64)


def _require_finite(squares, rows):
    """Raises an `InputError` unless the squared distances of the queries `rows` are finite."""
    finite = np.isfinite(squares).all(axis=1)
    if not finite.all():
        raise InputError(
            "Distances are not finite. Expected finite vectors whose squared lengths float64 can "
            "hold. Received: NaN, infinity or numbers that are too large, in the support or in "
            f"query {rows[np.argmin(finite)]}"
        )
