"""Candidates of the neighbour search on CPU: few products leave the tile they are computed in.

The product of a query and a support vector is −d²/2, half the squared distance with its sign
turned. The `count`-th best value of a query so far bounds the later ones. A pass or two over a tile
of products, which is in the cache, find the values above the bounds. They become rare.
"""

import numpy as np
import tensorflow as tf

# Most queries in a tile. Products with as many vectors fit the cache, and are computed efficiently.
TILE = 2048
# Most products of a query whose maximum is compared with its bound.
_GROUP = 32
# A query takes no more candidates from one tile than this multiple of those it keeps.
_MANY = 4
# Queries with too many candidates that are looked at together.
_COPIED = 64
# Tiles whose candidates are merged at once.
_MOST_OFFERS = 8


def group_size(width, count):
    """Returns the size of the groups of products whose maxima bound the `count` best.

    Args:
        width: number of support vectors in a tile.
        count: number of candidates of a query.
    """
    # A power of two that leaves more groups than candidates.
    return min(_GROUP, 1 << max(0, (2 * width // (3 * count)).bit_length() - 1))


def with_halves(vectors, as_support=False, group=1):
    """Appends the columns 1 and −‖v‖²/2 to the vectors, so that a product of two is −d²/2.

    Args:
        vectors: floats `(vectors, dimensions)`, centred.
        as_support: whether the two columns are swapped. One factor of a product has them swapped.
        group: the rows are filled up to a multiple of it with vectors that are infinitely far away.
    """
    count, dimensions = vectors.shape
    table = np.zeros((count + -count % group, dimensions + 2), vectors.dtype)
    ones, halves = table[:, -2:].T[:: -1 if as_support else 1]
    table[:count, :-2] = vectors
    ones[:] = 1
    # In float32, `einsum` would lose digits of the sum of many equal numbers. Numbers that are too
    # large for the dtype are seen later.
    with np.errstate(over="ignore"):
        halves[:count] = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64) / -2
    halves[count:] = -np.inf
    return table


class Tile:
    """A tile of queries with the best candidates so far of each of them.

    Args:
        vectors: `with_halves` of the centred queries.
        count: number of candidates of a query.
    """

    def __init__(self, vectors, count):
        self.vectors, self.count = tf.constant(vectors), count
        self.lengths = np.sqrt(-2 * vectors[:, -1])
        self.values = np.full((len(vectors), count), -np.inf, vectors.dtype)
        self.positions = np.zeros(self.values.shape, np.int32)
        # Only values above its bound can become candidates of a query.
        self.bounds = self.values[:, 0].copy()
        self._offers, self._offered = [], 0

    def offer(self, products, maxima, first):
        """Takes candidates from a tile of the support.

        Args:
            products: floats `(queries, vectors)`.
            maxima: floats `(queries, groups)`, the largest of each group of neighbouring products.
            first: position of the first vector among the support vectors.
        """
        products, maxima = np.asarray(products), np.asarray(maxima)
        groups = maxima.shape[1]
        if groups > self.count and np.isneginf(self.bounds).any():
            # As many groups as candidates reach the first bounds.
            bounds = np.partition(maxima, groups - self.count, axis=1)[:, groups - self.count]
            self.bounds = np.maximum(self.bounds, np.nextafter(bounds, -np.inf, dtype=bounds.dtype))
        chosen = np.flatnonzero(maxima > self.bounds[:, np.newaxis])
        queries, chosen_groups = np.divmod(chosen, groups)
        values = products.reshape(maxima.size, -1)[chosen]
        above = np.flatnonzero(values > self.bounds[queries, np.newaxis])
        group, member = np.divmod(above, values.shape[1])
        places = chosen_groups[group] * values.shape[1] + member
        self._take(queries[group], places, products, first)

    def offer_above(self, products, above, first):
        """Takes candidates from a tile of the support.

        Args:
            products: floats `(queries, vectors)`.
            above: booleans of the same shape, whether a product is above the bound of its query.
            first: position of the first vector among the support vectors.
        """
        self._take(*_nonzero(above), products, first)

    def best(self):
        """Returns the results for the queries of the tile.

        Returns:
            Tuple of positions among the support vectors, int64 `(queries, count)`; squared
            distances of the same shape, infinite where there is none; and the lengths of the
            centred queries, `(queries,)`.
        """
        self._merge()
        return self.positions.astype(np.int64), np.maximum(-2 * self.values, 0), self.lengths

    def _take(self, queries, places, products, first):
        """Remembers the products of some queries at some places of the tile."""
        # Equal vectors, or an order by distance, can leave too many for one query.
        counts = np.bincount(queries, minlength=len(self.bounds))
        if counts.max() > _MANY * self.count:
            many = np.flatnonzero(counts > _MANY * self.count)
            few = counts[queries] <= _MANY * self.count
            # Some at a time, because their products are copied.
            best = [
                np.argpartition(-products[part], self.count, axis=1)[:, : self.count]
                for part in np.array_split(many, -(-len(many) // _COPIED))
            ]
            queries = np.concatenate([queries[few], np.repeat(many, self.count)])
            places = np.concatenate([places[few], np.concatenate(best).ravel()])
        positions = (places + first).astype(np.int32)
        self._offers.append((queries.astype(np.int16), positions, products[queries, places]))
        self._offered += len(queries)
        if self._offered > self.values.size or len(self._offers) >= _MOST_OFFERS:
            self._merge()

    def _merge(self):
        """Keeps the best among the candidates so far and all offers."""
        if not self._offered:
            self._offers = []
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
        # The first bounds may be higher than the worst candidate.
        self.bounds = np.maximum(self.bounds, self.values.min(axis=1))


@tf.function(reduce_retracing=True)
def products_and_maxima(queries, support, group):
    """Returns the products of two tiles, and the largest of each group of the support."""
    products = tf.matmul(queries, support, transpose_b=True)
    grouped = tf.reshape(products, (tf.shape(products)[0], -1, group))
    return products, tf.reduce_max(grouped, axis=2)


@tf.function(reduce_retracing=True)
def products_above(queries, support, bounds, support_bounds):
    """Returns products, and whether they are above the bounds `(queries, 1)` and `(1, support)`."""
    products = tf.matmul(queries, support, transpose_b=True)
    return products, products > bounds, products > support_bounds


def _nonzero(mask):
    """Returns the rows and columns where a matrix is true, fast if they are few."""
    flat = mask.ravel(order="K")
    is_transposed = not mask.flags.c_contiguous
    if flat.size % 8:
        places = np.flatnonzero(flat)
    else:
        # Look at eight booleans at a time.
        flat = flat.view(np.uint64)
        words = np.flatnonzero(flat != 0)
        inside = np.flatnonzero(flat[words].view(bool))
        places = (words[inside >> 3] << 3) + (inside & 7)
    width = mask.shape[not is_transposed]
    rows = places // width
    columns = places - rows * width
    return (columns, rows) if is_transposed else (rows, columns)
