"""Exact k nearest neighbours, blocked, on whatever device TensorFlow uses."""

import numpy as np
import tensorflow as tf

from keras_pruning.errors import InputError

# Candidates beyond k that the fast distances propose and the careful distances then order.
_MARGIN = 8


def nearest(queries, support, k, support_rows=None, exclude=None, memory_limit=2**28):
    """The k support vectors with the smallest Euclidean distance to each query.

    Candidates come from ‖s‖² − 2 q·s of centred float32 vectors, one matrix product a block. Their
    order comes from the distances themselves, so that near duplicates keep all digits. A query for
    which float32 cannot rule out that a neighbour is missing among its candidates is searched
    again in float64. Equal distances are ordered by row.

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
    exclude = np.full(len(queries), -1) if exclude is None else np.asarray(exclude)
    search = _Search(support, support_rows, k, memory_limit, np.float32)
    rows, distances, unsure = search(queries, np.arange(len(queries)), exclude)
    if len(unsure):
        search = _Search(support, support_rows, k, memory_limit, np.float64)
        rows[unsure], distances[unsure], _ = search(queries, unsure, exclude)
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


class _Search:
    """A search among support vectors in one precision."""

    def __init__(self, support, support_rows, k, memory_limit, dtype):
        self.support, self.support_rows, self.k, self.dtype = support, support_rows, k, dtype
        self.count = min(len(support_rows), k + 1 + _MARGIN)
        self.center = _mean(support, support_rows).astype(dtype)
        numbers, dimensions = memory_limit // np.dtype(dtype).itemsize, support.shape[1]
        self.query_block = int(np.clip(numbers // 4 // dimensions, 1, 2048))
        self.support_block = numbers // 4 // (dimensions + self.query_block)
        self.support_block = int(np.clip(self.support_block, 1, 8192))
        self.careful_block = max(1, numbers // 8 // (dimensions * self.count))

    def __call__(self, queries, query_rows, exclude):
        """Neighbours and distances of `query_rows`, and those of them that rounding leaves open."""
        rows = np.empty((len(query_rows), self.k), np.int64)
        squares = np.empty((len(query_rows), self.k), self.dtype)
        unsure = np.zeros(len(query_rows), bool)
        for part in _slices(len(query_rows), self.query_block):
            block, own = self._centered(queries, query_rows[part]), exclude[query_rows[part]]
            values, found = self._candidates(block, own)
            for piece in _slices(len(block), self.careful_block):
                ordered = self._ordered(block[piece], found[piece], own[piece])
                rows[part][piece], squares[part][piece] = ordered
            if self.count < len(self.support_rows):
                farthest = squares[part][:, -1]
                unsure[part] = farthest + self._rounding(block, farthest) > -values[:, -1]
        return rows, np.sqrt(squares), query_rows[unsure]

    def _centered(self, vectors, rows):
        return tf.constant(vectors[rows].astype(self.dtype) - self.center)

    def _candidates(self, block, exclude):
        """Negative squared distances and rows of the nearest, as fast as a matrix product."""
        shape = (len(block), self.count)
        best = tf.fill(shape, tf.constant(-np.inf, self.dtype)), tf.fill(shape, np.int64(-1))
        for piece in _slices(len(self.support_rows), self.support_block):
            taken = self.support_rows[piece]
            best = _merge(*best, block, self._centered(self.support, taken), taken, exclude)
        return best[0].numpy(), best[1].numpy()

    def _rounding(self, block, farthest):
        """How far off the fast square of the distance to a missed neighbour may be, `(queries,)`.

        A vector closer than the farthest neighbour is no longer than the query and that distance
        together. The rounding of a dot product of n terms grows like √n; the factor leaves room.
        """
        lengths = tf.norm(block, axis=1).numpy()
        ulp = np.finfo(self.dtype).eps * (8 + 2 * np.sqrt(block.shape[1]))
        return ulp * (lengths**2 + (lengths + np.sqrt(farthest)) ** 2)

    def _ordered(self, queries, found, exclude):
        """The k nearest of the candidates and their squared distances, without cancellation."""
        vectors = tf.reshape(self._centered(self.support, found.ravel()), (*found.shape, -1))
        squares = tf.reduce_sum((vectors - queries[:, tf.newaxis]) ** 2, axis=2).numpy()
        squares[(found < 0) | (found == exclude[:, np.newaxis])] = np.inf
        order = np.lexsort((found, squares))[:, : self.k]
        return np.take_along_axis(found, order, 1), np.take_along_axis(squares, order, 1)


@tf.function(reduce_retracing=True)
def _merge(best_values, best_rows, queries, support, support_rows, exclude):
    """The best candidates among those so far and one more block, the nearest first."""
    norms = tf.reduce_sum(support**2, axis=1)
    values = 2 * tf.matmul(queries, support, transpose_b=True) - norms
    values -= tf.reduce_sum(queries**2, axis=1, keepdims=True)
    own = exclude[:, tf.newaxis] == support_rows
    values = tf.where(own, tf.constant(-np.inf, values.dtype), values)
    count = tf.shape(best_values)[1]
    values, positions = tf.math.top_k(values, tf.minimum(count, tf.shape(support)[0]))
    values = tf.concat([best_values, values], axis=1)
    rows = tf.concat([best_rows, tf.gather(support_rows, positions)], axis=1)
    values, order = tf.math.top_k(values, count)
    return values, tf.gather(rows, order, axis=1, batch_dims=1)


def _slices(length, block):
    return [slice(start, min(start + block, length)) for start in range(0, length, block)]


def _mean(support, support_rows):
    total = np.zeros(support.shape[1])
    for part in _slices(len(support_rows), 4096):
        total += support[support_rows[part]].sum(axis=0, dtype=np.float64)
    return total / len(support_rows)
