"""Candidates of the neighbour search on CPU: few products leave the tile they are computed in.

The product of a tile of queries and a tile of support vectors is −d²/2, half the squared distance
with its sign turned. The `count`-th best value of a query so far bounds the later ones: two passes
over a tile that fits the cache find the values above the bounds, which become rare.
"""

import numpy as np
import tensorflow as tf

# Most vectors in a tile. Its products fit the cache, and its matrix product is efficient.
TILE = 2048
# A query takes no more candidates from one tile than this multiple of those it keeps.
_MANY = 4
# Tiles whose candidates are merged at once.
_MOST_OFFERS = 8


@tf.function(reduce_retracing=True)
def as_queries(vectors):
    """Appends the columns 1 and −‖q‖²/2 to the vectors."""
    halves = tf.reduce_sum(vectors**2, axis=1, keepdims=True) / -2
    return tf.concat([vectors, tf.ones_like(halves), halves], axis=1)


@tf.function(reduce_retracing=True)
def as_support(queries):
    """Swaps the last two columns of `as_queries`, so that a product with it is −d²/2."""
    return tf.concat([queries[:, :-2], queries[:, -1:], queries[:, -2:-1]], axis=1)


class Tile:
    """A tile of queries with the best candidates so far of each of them.

    Args:
        vectors: `as_queries` of the centred queries.
        count: number of candidates of a query.
    """

    def __init__(self, vectors, count):
        self.vectors, self.count = vectors, count
        self.lengths = np.sqrt(-2 * np.asarray(vectors[:, -1]))
        self.values = np.full((len(vectors), count), -np.inf, vectors.dtype.as_numpy_dtype)
        self.positions = np.zeros(self.values.shape, np.int32)
        # Only values above its bound can become candidates of a query.
        self.bounds = self.values[:, 0].copy()
        self.is_new = True
        self._offers, self._offered = [], 0

    def products(self, support):
        """Returns the products with `as_support` of a tile, and which are above the bounds."""
        if not self.is_new:
            return _above(self.vectors, support, self.bounds[:, np.newaxis])
        products = _products(self.vectors, support)
        self._start(products)
        return products, np.asarray(products) > self.bounds[:, np.newaxis]

    def products_of_both(self, other, support):
        """Returns the same with `support` of the tile `other`, and which are above its bounds."""
        bounds = self.bounds[:, np.newaxis], other.bounds[np.newaxis]
        return _above_both(self.vectors, support, *bounds)

    def offer(self, products, above, first):
        """Takes candidates from a tile of support vectors.

        Args:
            products: floats `(queries, vectors)`.
            above: booleans of the same shape, true for the products to take.
            first: position of the first vector among the support vectors.
        """
        products = np.asarray(products)
        queries, places = _nonzero(np.asarray(above))
        # Equal vectors, or an order by distance, can leave too many for one query.
        counts = np.bincount(queries, minlength=len(self.bounds))
        if counts.max() > _MANY * self.count:
            many = np.flatnonzero(counts > _MANY * self.count)
            few = counts[queries] <= _MANY * self.count
            best = np.argpartition(-products[many], self.count, axis=1)[:, : self.count]
            queries = np.concatenate([queries[few], np.repeat(many, self.count)])
            places = np.concatenate([places[few], best.ravel()])
        values = products[queries, places]
        self._offers.append((queries.astype(np.int16), (places + first).astype(np.int32), values))
        self._offered += len(queries)
        if self._offered > self.values.size or len(self._offers) >= _MOST_OFFERS:
            self._merge()

    def best(self):
        """Returns the results for the queries of the tile.

        Returns:
            Tuple of positions among the support vectors, int64 `(queries, count)`; squared
            distances of the same shape, infinite where there is none; and the lengths of the
            centred queries, `(queries,)`.
        """
        self._merge()
        return self.positions.astype(np.int64), np.maximum(-2 * self.values, 0), self.lengths

    def _start(self, products):
        """Sets the first bounds so that at least `count` values of each query are above them."""
        self.is_new = False
        group = products.shape[1] // (2 * self.count)
        if group:
            maxima = np.asarray(_maxima(products, group, 2 * self.count))
            bounds = np.partition(maxima, self.count, axis=1)[:, self.count]
            self.bounds = np.nextafter(bounds, np.array(-np.inf, bounds.dtype))

    def _merge(self):
        """Keeps the best among the candidates so far and all offers."""
        if not self._offered:
            return
        queries, positions, values = map(np.concatenate, zip(*self._offers, strict=True))
        self._offers, self._offered = [], 0
        # Lay the offers of each query side by side, behind its candidates.
        order = np.argsort(queries, kind="stable")
        counts = np.bincount(queries, minlength=len(self.bounds))
        queries = queries[order]
        starts = np.cumsum(counts) - counts - self.count
        columns = np.arange(len(order)) - starts[queries]
        shape = len(counts), self.count + counts.max()
        all_values = np.full(shape, -np.inf, self.values.dtype)
        all_positions = np.zeros(shape, np.int32)
        all_values[:, : self.count], all_positions[:, : self.count] = self.values, self.positions
        all_values[queries, columns] = values[order]
        all_positions[queries, columns] = positions[order]
        best = np.argpartition(-all_values, self.count - 1, axis=1)[:, : self.count]
        self.values = np.take_along_axis(all_values, best, 1)
        self.positions = np.take_along_axis(all_positions, best, 1)
        # A bound never falls, also not that of `_start`.
        self.bounds = np.maximum(self.bounds, self.values.min(axis=1))


@tf.function(reduce_retracing=True)
def _products(queries, support):
    return tf.matmul(queries, support, transpose_b=True)


@tf.function(reduce_retracing=True)
def _above(queries, support, bounds):
    """Returns the products, and whether they are above the bounds of the queries."""
    products = _products(queries, support)
    return products, products > bounds


@tf.function(reduce_retracing=True)
def _above_both(queries, support, bounds, support_bounds):
    """Returns the products, and whether they are above the bounds of rows and of columns."""
    products = _products(queries, support)
    return products, products > bounds, products > support_bounds


@tf.function(reduce_retracing=True)
def _maxima(products, group, groups):
    """Returns the maxima of `groups` groups of each row of the products."""
    grouped = tf.reshape(products[:, : group * groups], (-1, group, groups))
    return tf.reduce_max(grouped, axis=1)


def _nonzero(mask):
    """Returns the rows and columns where a matrix is true, fast if they are few."""
    flat = mask.ravel(order="K")
    is_transposed = not mask.flags.c_contiguous
    if flat.size % 8:
        places = np.flatnonzero(flat)
    else:
        # Look at eight booleans at a time.
        words = np.flatnonzero(flat.view(np.uint64) != 0)
        word, byte = np.nonzero(flat.reshape(-1, 8)[words])
        places = words[word] * 8 + byte
    width = mask.shape[not is_transposed]
    rows, columns = places // width, places % width
    return (columns, rows) if is_transposed else (rows, columns)
