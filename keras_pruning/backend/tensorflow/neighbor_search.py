"""Exact neighbour search: fast candidates from matrix products, then careful distances."""

import contextlib

import numpy as np
import tensorflow as tf

# Candidates beyond k that the fast distances propose and the careful distances then order.
_MARGIN = 8
# A distance is taken carefully where rounding may be more than this part of its square.
_ACCURACY = 1e-3


class Search:
    """A search among support vectors in one precision.

    Memory goes to four parts: the queries that are held with their candidates, a block of the
    support, its products with a tile of the queries, and vectors whose distances are taken again.
    """

    def __init__(self, queries, support, k, support_rows, normalize, memory_limit, dtype):
        self.queries, self.support, self.support_rows = queries, support, support_rows
        self.k, self.normalize, self.dtype = k, normalize, dtype
        # What vectors are centred in: they are rounded to `dtype` only after that.
        self.exact = np.result_type(queries.dtype, support.dtype, dtype)
        if normalize is not None:
            self.exact = np.dtype(np.float64)
        self.size = len(support if support_rows is None else support_rows)
        self.count = min(self.size, k + 1 + _MARGIN)
        quarter, width = memory_limit // np.dtype(dtype).itemsize // 4, support.shape[1] + 1
        self.held = max(1, quarter // (width + 16 * self.count))
        self.tile = min(1024, self.held)
        self.block = max(1, min(quarter // (3 * width), quarter // self.tile, self.size))
        self.pairs = max(1, quarter // (4 * width))
        group = max(1, round((self.block / self.count) ** 0.5))
        self.sizes = tf.constant(self.count), tf.constant(group)
        self.center = self._mean()

    def __call__(self, query_rows, own):
        """Neighbours of `query_rows`, squared distances, and where rounding leaves both open."""
        rows = np.empty((len(query_rows), self.k), np.int64)
        squares = np.empty(rows.shape)
        unsure = np.empty(len(query_rows), bool)
        for part in slices(len(query_rows), self.held):
            found = self._candidates(query_rows[part], own[part])
            rows[part], squares[part], unsure[part] = self._settled(query_rows[part], *found)
        return rows, squares, unsure

    def _candidates(self, query_rows, own):
        """The best candidates of each query and how many neighbours may be missing among them.

        Returns:
            Tuple of rows, int64 `(queries, count)`; fast squared distances, ascending, infinite
            for the query itself; those of the last candidate, `(queries,)`; and the lengths of the
            centred queries, `(queries,)`.
        """
        parts = slices(len(query_rows), self.tile)
        tiles = [_as_queries(self._centered(self.queries, query_rows[part])) for part in parts]
        best = [_none_yet(tile) for tile in tiles]
        for part in slices(self.size, self.block):
            rows = part if self.support_rows is None else self.support_rows[part]
            block = _as_support(self._centered(self.support, rows), self.sizes[1])
            first = tf.constant(part.start, tf.int64)
            for number, tile in enumerate(tiles):
                best[number] = _merged(*best[number], tile, block, first, *self.sizes)
        found = [
            [each.numpy() for each in _as_squares(*candidates, tile)]
            for candidates, tile in zip(best, tiles, strict=True)
        ]
        rows, squares, lengths = (np.concatenate(each) for each in zip(*found, strict=True))
        if self.support_rows is not None:
            rows = self.support_rows[rows]
        farthest = squares[:, -1].copy()
        squares[rows == own[:, np.newaxis]] = np.inf
        return rows, squares, farthest, lengths

    def _settled(self, query_rows, rows, squares, farthest, lengths):
        """The k nearest of the candidates, in an order that rounding does not change."""
        order = np.argsort(squares, axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, 1)
        squares = np.take_along_axis(squares, order, 1).astype(np.float64)
        kth = squares[:, self.k - 1 : self.k]
        error = self._rounding(lengths[:, np.newaxis], kth)
        open_ = squares * _ACCURACY < error
        close = squares[:, 1:] <= squares[:, :-1] + 2 * error
        open_[:, 1:] |= close
        open_[:, :-1] |= close
        open_[:, self.k :] = squares[:, self.k :] <= kth + 2 * error
        open_ &= np.isfinite(squares)
        squares[open_] = self._careful(query_rows[np.nonzero(open_)[0]], rows[open_])
        touched = np.flatnonzero(open_.any(axis=1))
        order = np.lexsort((rows[touched], squares[touched]))[:, : self.k]
        rows[touched, : self.k] = np.take_along_axis(rows[touched], order, 1)
        squares[touched, : self.k] = np.take_along_axis(squares[touched], order, 1)
        # Not `>`: a distance that is too large for the precision compares as neither.
        missing = ~(squares[:, self.k - 1] + 2 * error[:, 0] <= farthest)
        unsure = (missing & (self.count < self.size)) | ~np.isfinite(squares[:, self.k - 1])
        return rows[:, : self.k], squares[:, : self.k], unsure

    def _rounding(self, lengths, farthest):
        """How far off a fast squared distance may be, for vectors that could be neighbours.

        A vector closer than the farthest neighbour is no longer than the query and that distance
        together. The rounding of a dot product of n terms grows like √n; the factor leaves room.
        """
        ulp = np.finfo(self.dtype).eps * (4 + np.sqrt(self.queries.shape[1]))
        return ulp * (lengths**2 + (lengths + np.sqrt(farthest)) ** 2)

    def _careful(self, query_rows, rows):
        """The squared distances of pairs of a query and a support vector, without cancellation."""
        squares = np.empty(len(rows))
        for part in slices(len(rows), self.pairs):
            queries = self._vectors(self.queries, query_rows[part])
            vectors = self._vectors(self.support, rows[part])
            differences = np.subtract(queries, vectors, dtype=np.float64)
            squares[part] = np.einsum("ij,ij->i", differences, differences)
        return squares

    def by_differences(self, query_rows, own):
        """Neighbours and squared distances, from the differences of all pairs of vectors.

        Slow, and exact to the last digits, also where thousands of vectors are as good as equal.
        """
        rows = np.empty((len(query_rows), self.k), np.int64)
        squares = np.empty(rows.shape)
        count = min(self.size, self.k + 1)
        tile = int(np.clip(self.pairs**0.5, 1, 256))
        for part in slices(len(query_rows), tile):
            queries = tf.constant(self._vectors(self.queries, query_rows[part]), tf.float64)
            best = _none_yet(queries)
            for block in slices(self.size, max(1, self.pairs // tile)):
                taken = block if self.support_rows is None else self.support_rows[block]
                vectors = tf.constant(self._vectors(self.support, taken), tf.float64)
                first = tf.constant(block.start, tf.int64)
                best = _merged_differences(*best, queries, vectors, first, tf.constant(count))
            found = best[1].numpy() if self.support_rows is None else self.support_rows[best[1]]
            distances = -best[0].numpy()
            distances[found == own[part, np.newaxis]] = np.inf
            order = np.argsort(distances, axis=1, kind="stable")[:, : self.k]
            rows[part] = np.take_along_axis(found, order, 1)
            squares[part] = np.take_along_axis(distances, order, 1)
        return rows, squares

    def _centered(self, vectors, rows):
        return tf.constant(
            (self._vectors(vectors, rows) - self.center).astype(self.dtype, copy=False)
        )

    def _vectors(self, vectors, rows):
        """Returns the vectors at `rows`, normalised if the metric asks for it."""
        taken = np.asarray(vectors[rows], self.exact)
        return taken if self.normalize is None else self.normalize(taken, np.r_[rows])

    def _mean(self):
        total = np.zeros(self.support.shape[1])
        for part in slices(self.size, self.block):
            rows = part if self.support_rows is None else self.support_rows[part]
            total += self._vectors(self.support, rows).sum(axis=0, dtype=np.float64)
        return (total / self.size).astype(self.exact)


@tf.function(reduce_retracing=True)
def _as_queries(vectors):
    """Vectors with a column of ones."""
    return tf.concat([vectors, tf.ones_like(vectors[:, :1])], axis=1)


@tf.function(reduce_retracing=True)
def _as_support(vectors, group):
    """Vectors with a column of −‖s‖²/2, so that one product with a query ranks them.

    Filled up to a multiple of `group` with vectors that are infinitely far away.
    """
    ranks = tf.reduce_sum(vectors**2, axis=1) / -2
    missing = -tf.shape(vectors)[0] % group
    ranks = tf.pad(ranks, [[0, missing]], constant_values=-np.inf)
    return tf.concat([tf.pad(vectors, [[0, missing], [0, 0]]), ranks[:, tf.newaxis]], axis=1)


def _none_yet(queries):
    return tf.zeros((len(queries), 0), queries.dtype), tf.zeros((len(queries), 0), tf.int64)


@tf.function(reduce_retracing=True)
def _merged(best_values, best_rows, queries, support, first, count, group):
    """The best candidates among those so far and one more block, the nearest first.

    Args:
        best_values: floats `(queries, candidates)`, q·s − ‖s‖²/2.
        best_rows: int64 of the same shape, positions among the support vectors.
        queries: `_as_queries` of a tile.
        support: `_as_support` of a block.
        first: int64, the position of the block's first vector.
        count: how many candidates to keep.
        group: how many values are represented by their largest.
    """
    values = tf.matmul(queries, support, transpose_b=True)
    values, positions = _largest(values, count, group)
    values = tf.concat([best_values, values], axis=1)
    rows = tf.concat([best_rows, first + tf.cast(positions, tf.int64)], axis=1)
    values, order = tf.math.top_k(values, tf.minimum(count, tf.shape(values)[1]))
    return values, tf.gather(rows, order, axis=1, batch_dims=1)


@tf.function(reduce_retracing=True)
def _merged_differences(best_values, best_rows, queries, vectors, first, count):
    """As `_merged`, of negative squared distances; equal ones in the order of the rows."""
    differences = queries[:, tf.newaxis] - vectors
    values = -tf.reduce_sum(differences**2, axis=2)
    rows = first + tf.range(tf.shape(vectors)[0], dtype=tf.int64)
    rows = tf.broadcast_to(rows, tf.shape(values, out_type=tf.int64))
    values = tf.concat([best_values, values], axis=1)
    values, order = tf.math.top_k(values, tf.minimum(count, tf.shape(values)[1]))
    return values, tf.gather(tf.concat([best_rows, rows], axis=1), order, axis=1, batch_dims=1)


def _largest(values, count, group):
    """The `count` largest of each row, or all, and their positions.

    They lie in the `count` groups with the largest maxima. Finding those takes one quick pass over
    the values; the slow search for the largest only sees the maxima and the values of these groups.
    """
    groups = tf.shape(values)[1] // group
    grouped = tf.reshape(values, (-1, group, groups))
    _, chosen = tf.math.top_k(tf.reduce_max(grouped, axis=1), tf.minimum(count, groups), False)
    inside = tf.gather(grouped, chosen, axis=2, batch_dims=1)
    inside = tf.reshape(inside, (tf.shape(values)[0], -1))
    values, order = tf.math.top_k(inside, tf.minimum(count, tf.shape(inside)[1]))
    # From the place among those back to the column.
    member, place = order // tf.shape(chosen)[1], order % tf.shape(chosen)[1]
    return values, member * groups + tf.gather(chosen, place, axis=1, batch_dims=1)


@tf.function(reduce_retracing=True)
def _as_squares(values, rows, queries):
    """Rows, squared distances and the lengths of the queries."""
    squares = tf.reduce_sum(queries[:, :-1] ** 2, axis=1)
    return rows, tf.maximum(squares[:, tf.newaxis] - 2 * values, 0), tf.sqrt(squares)


def slices(length, block):
    """Slices of at most `block` that cover `length`, in order."""
    return [slice(start, min(start + block, length)) for start in range(0, length, block)]


@contextlib.contextmanager
def exact_products():
    """Computes float32 products in float32. By default GPUs round the factors to ten bits."""
    rounded = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(rounded)
