"""Neighbours from the differences of all pairs of distinct vectors, with ties broken at random."""

import hashlib

import numpy as np
import tensorflow as tf

# Number of queries that are compared with the support at once.
_TILE = 256
# Bytes of the temporary arrays for each pair of a query and a support vector.
_PAIR_BYTES = 64


def tie_keys(seed, query_rows, rows):
    """Returns a random number for each pair of a query and a support vector.

    Equal distances are ordered by it. It depends on nothing but the seed and the two rows, so that
    it is the same for any size of the blocks. The numbers of one query differ from each other.

    Args:
        seed: integer >= 0, or a sequence of them.
        query_rows: integers, the rows of the queries.
        rows: integers, the rows of the support vectors, of a shape that broadcasts.

    Returns:
        Uint64 of the broadcast shape.
    """
    stream = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    queries = _mixed(np.asarray(query_rows).astype(np.uint64) + stream)
    return _mixed(queries + _mixed(np.asarray(rows).astype(np.uint64)))


def _mixed(values):
    """Returns the output function of SplitMix64, a bijection of uint64 (Steele et al., 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class DifferenceSearch:
    """A search that is exact to the last digits, even if thousands of vectors are equal.

    It computes the distances of distinct vectors only. A query keeps the k support vectors with
    the smallest pair of distance and tie key, so that all support vectors at the k-th distance
    have the same chance.

    Args:
        search: `keras_pruning.backend.tensorflow.neighbor_search.Search` in float64.
    """

    def __init__(self, search):
        self.search = search
        self.limit = max(1, search.quarter_bytes // _PAIR_BYTES)
        # Put the members of each group of equal support vectors side by side.
        numbers = self._groups(search.support, search.positions(slice(0, search.size)))
        self.members = search.positions(np.argsort(numbers, kind="stable"))
        self.sizes = np.bincount(numbers)
        self.starts = np.cumsum(self.sizes) - self.sizes

    def __call__(self, query_rows, excluded, bounds):
        """Finds the nearest support vectors of some queries.

        Args:
            query_rows: integers `(queries,)`, the rows of the queries.
            excluded: integers `(queries,)`, the row of the support that is no neighbour of each
                query, -1 for none.
            bounds: floats `(queries,)`, squared distances within which each query has k neighbours.

        Returns:
            Tuple of rows in the support, int64 `(queries, k)`, nearest first, and their squared
            distances, float64 of the same shape.
        """
        rows = np.empty((len(query_rows), self.search.k), np.int64)
        squares = np.empty(rows.shape)
        # Put equal queries into the same tile.
        groups = self._groups(self.search.queries, query_rows)
        order = np.argsort(groups, kind="stable")
        for start in range(0, len(order), min(_TILE, self.limit)):
            tile = order[start : start + min(_TILE, self.limit)]
            nearest = _Nearest(self.search, query_rows[tile], excluded[tile], bounds[tile])
            _, firsts, copies = np.unique(groups[tile], return_index=True, return_inverse=True)
            self._scan(nearest, query_rows[tile[firsts]], copies)
            rows[tile] = nearest.rows.reshape(-1, self.search.k)
            squares[tile] = nearest.squares.reshape(-1, self.search.k)
        return rows, squares

    def _groups(self, vectors, rows):
        """Returns the number of the group of equal vectors that the vector of each row is in."""
        numbers, known = np.empty(len(rows), np.int64), {}
        for start in range(0, len(rows), self.search.block):
            block = self.search.vectors_at(vectors, rows[start : start + self.search.block])
            # 16 bytes for each vector: the memory does not grow with the dimensions.
            for place, vector in enumerate(np.ascontiguousarray(block), start):
                digest = hashlib.blake2b(vector, digest_size=16).digest()
                numbers[place] = known.setdefault(digest, len(known))
        return numbers

    def _scan(self, nearest, query_rows, copies):
        """Shows the whole support to a tile, block by block of distinct support vectors.

        Args:
            nearest: `_Nearest` of the tile.
            query_rows: integers `(distinct,)`, the rows of the distinct queries.
            copies: integers `(queries,)`, the distinct query that each query is equal to.
        """
        search = self.search
        queries = search.centered(search.queries, query_rows)
        lengths = np.linalg.norm(queries, axis=1, keepdims=True)
        block = max(1, min(search.block, self.limit // len(copies)))
        for start in range(0, len(self.sizes), block):
            firsts = self.members[self.starts[start : start + block]]
            vectors = search.centered(search.support, firsts)
            # Leave out the pairs that are too far apart whatever the rounding of the product.
            bounds = np.zeros((len(queries), 1))
            np.maximum.at(bounds[:, 0], copies, nearest.bounds)
            squares = _fast_squares(queries, vectors).numpy()
            pairs = np.nonzero(~(squares > bounds + search.rounding(lengths, bounds)))
            squares[:] = np.inf
            squares[pairs] = search.careful(query_rows[pairs[0]], firsts[pairs[1]])
            # Turn distinct vectors into their copies.
            squares = squares[copies]
            query, group = np.nonzero(squares <= nearest.bounds[:, np.newaxis])
            for part, places in self._in_rounds(group + start):
                pairs = query[part]
                nearest.offer(pairs, squares[pairs, group[part]], self.members[places])

    def _in_rounds(self, groups):
        """Yields the members of groups, the first few of all groups at first.

        Each round doubles the number of members, so that those before it rule out most of the next.

        Args:
            groups: integers `(pairs,)`, the group of each pair of a query and a group.

        Yields:
            Tuple of integers, the pair of each member and its place in `members`.
        """
        sizes = self.sizes[groups]
        first, last = 0, 4 * self.search.k
        while (alive := np.flatnonzero(sizes > first)).size:
            counts = np.minimum(sizes[alive], last) - first
            # Cut the pairs where their members exceed the memory.
            ends = np.cumsum(counts)
            cuts = np.flatnonzero(np.diff(ends // self.limit)) + 1
            for part in np.split(np.arange(len(alive)), cuts):
                pairs = np.repeat(alive[part], counts[part])
                before = np.repeat(
                    ends[part] - counts[part] - ends[part[0]] + counts[part[0]], counts[part]
                )
                offsets = first + np.arange(len(pairs)) - before
                yield pairs, self.starts[groups[pairs]] + offsets
            first, last = last, min(2 * last, last + self.limit)


class _Nearest:
    """The k nearest support vectors so far of each query of a tile.

    Args:
        search: the `Search`.
        query_rows, excluded, bounds: as for `DifferenceSearch`, of the tile.
    """

    def __init__(self, search, query_rows, excluded, bounds):
        self.k, self.seed = search.k, search.seed
        self.query_rows, self.excluded, self.bounds = query_rows, excluded, bounds.copy()
        self.key_bounds = np.full(len(query_rows), np.iinfo(np.uint64).max)
        self.queries, self.rows = np.empty(0, np.int64), np.empty(0, np.int64)
        self.squares, self.keys = np.empty(0), np.empty(0, np.uint64)

    def offer(self, queries, squares, rows):
        """Takes pairs of a query of the tile and a support vector, with their distance."""
        keys = tie_keys(self.seed, self.query_rows[queries], rows)
        # Rule out the pairs that lie behind the k best.
        bounds = self.bounds[queries]
        keep = (squares < bounds) | ((squares == bounds) & (keys <= self.key_bounds[queries]))
        keep &= rows != self.excluded[queries]
        # Sort the others with the best so far, and keep the first k of each query.
        queries = np.concatenate([self.queries, queries[keep]])
        squares = np.concatenate([self.squares, squares[keep]])
        keys = np.concatenate([self.keys, keys[keep]])
        rows = np.concatenate([self.rows, rows[keep]])
        order = np.lexsort((keys, squares, queries))
        queries = queries[order]
        place = np.arange(len(queries)) - np.searchsorted(queries, queries)
        order, last = order[place < self.k], order[place == self.k - 1]
        self.queries, self.rows = queries[place < self.k], rows[order]
        self.squares, self.keys = squares[order], keys[order]
        # The k-th of a query bounds all that come later.
        complete = queries[place == self.k - 1]
        self.bounds[complete], self.key_bounds[complete] = squares[last], keys[last]


@tf.function(reduce_retracing=True)
def _fast_squares(queries, vectors):
    """Returns squared distances `(queries, vectors)` by one matrix product."""
    lengths = tf.reduce_sum(queries**2, axis=1)[:, tf.newaxis] + tf.reduce_sum(vectors**2, axis=1)
    return lengths - 2 * tf.matmul(queries, vectors, transpose_b=True)
