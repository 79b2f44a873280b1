"""Exact k nearest neighbours, blocked, on whatever device TensorFlow uses."""

import numpy as np
import tensorflow as tf

from keras_pruning.errors import InputError

# Candidates beyond k that the fast distances propose and the careful distances then order.
_MARGIN = 8


def nearest(queries, support, k, support_rows=None, exclude=None, memory_limit=2**28):
    """The k support vectors with the smallest Euclidean distance to each query.

    Candidates come from ‖s‖² − 2 q·s of centred float32 vectors, one matrix product a block; their
    order then comes from the distances themselves, so that near duplicates keep all digits. Equal
    distances are ordered by row.

    Args:
        queries: floats `(queries, dimensions)`, an array or a memory map.
        support: floats `(support, dimensions)`, an array or a memory map.
        k: number of neighbours, at most the number of support vectors that are not excluded.
        support_rows: integers `(used,)`, ascending, the rows of `support` to search; by default
            all.
        exclude: integers `(queries,)`, the support row that must not be a neighbour of each query
            (itself), -1 for none.
        memory_limit: bytes that the blocks may take; the number of rows in a block follows from it.

    Returns:
        Tuple of the rows in `support`, int64 `(queries, k)`, nearest first, and the distances,
        float32 of the same shape.

    Raises:
        InputError: if there are fewer than k neighbours to find.
    """
    support_rows = np.arange(len(support)) if support_rows is None else support_rows
    usable = len(support_rows) - (exclude is not None)
    if k > usable:
        raise InputError(f"Too few neighbours. Expected k <= {usable}. Received: k={k}")
    if exclude is None:
        exclude = np.full(len(queries), -1)
    center = _mean(support, support_rows)
    count = min(len(support_rows), k + 1 + _MARGIN)
    query_block, support_block, careful_block = _blocks(support.shape[1], count, memory_limit)
    rows = np.empty((len(queries), k), np.int64)
    distances = np.empty((len(queries), k), np.float32)
    for part in _slices(len(queries), query_block):
        block, own = tf.constant(queries[part] - center), exclude[part]
        best = (tf.zeros((len(block), 0)), tf.zeros((len(block), 0), tf.int64))
        for piece in _slices(len(support_rows), support_block):
            taken = support_rows[piece]
            best = _merge(*best, block, tf.constant(support[taken] - center), taken, own, count)
        for piece in _slices(len(block), careful_block):
            found = best[1][piece].numpy()
            vectors = tf.constant(support[found.ravel()] - center)
            ordered = _ordered(block[piece], vectors, found, own[piece], k)
            rows[part][piece], distances[part][piece] = ordered
    return rows, distances


def vote(labels):
    """The most frequent label among neighbours; a tie goes to the nearest of the tied.

    Args:
        labels: integers `(queries, k)`, nearest neighbour first.

    Returns:
        Integers `(queries,)`.
    """
    winners = np.empty(len(labels), labels.dtype)
    for part in _slices(len(labels), 4096):
        block = labels[part]
        votes = (block[:, :, np.newaxis] == block[:, np.newaxis, :]).sum(axis=2)
        # The first maximum belongs to the nearest neighbour among those whose class is tied.
        winners[part] = block[np.arange(len(block)), votes.argmax(axis=1)]
    return winners


def _slices(length, block):
    return [slice(start, min(start + block, length)) for start in range(0, length, block)]


def _mean(support, support_rows):
    total = np.zeros(support.shape[1])
    for part in _slices(len(support_rows), 4096):
        total += support[support_rows[part]].sum(axis=0, dtype=np.float64)
    return (total / len(support_rows)).astype(np.float32)


def _blocks(dimensions, count, memory_limit):
    """Rows of a query block, of a support block, and of a block whose distances are taken."""
    floats = memory_limit // 4
    query_block = int(np.clip(floats // 4 // dimensions, 1, 2048))
    support_block = int(np.clip(floats // 4 // (dimensions + query_block), 1, 8192))
    return query_block, support_block, max(1, floats // 8 // (dimensions * count))


@tf.function(reduce_retracing=True)
def _merge(best_values, best_rows, queries, support, support_rows, exclude, count):
    """The `count` best candidates among those so far and one more block, the nearest first."""
    values = 2 * tf.matmul(queries, support, transpose_b=True) - tf.reduce_sum(support**2, axis=1)
    own = exclude[:, tf.newaxis] == support_rows
    values = tf.where(own, tf.constant(-np.inf, values.dtype), values)
    values, positions = tf.math.top_k(values, tf.minimum(count, tf.shape(support)[0]))
    values = tf.concat([best_values, values], axis=1)
    rows = tf.concat([best_rows, tf.gather(support_rows, positions)], axis=1)
    values, order = tf.math.top_k(values, tf.minimum(count, tf.shape(values)[1]))
    return values, tf.gather(rows, order, axis=1, batch_dims=1)


def _ordered(queries, vectors, found, exclude, k):
    """The k nearest of the candidates `found`, by their distances themselves."""
    vectors = tf.reshape(vectors, (*found.shape, -1))
    distances = tf.norm(vectors - queries[:, tf.newaxis], axis=2).numpy()
    distances[found == exclude[:, np.newaxis]] = np.inf
    order = np.lexsort((found, distances))[:, :k]
    return np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)
