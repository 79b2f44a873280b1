"""Exact neighbour search: fast candidates from matrix products, then careful distances.

The fast squared distance of a query q and a support vector s is ‖q‖² − 2 q·s + ‖s‖². One matrix
product computes it for many pairs. It loses digits to cancellation. The careful distance sums
squared differences in float64.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from keras_pruning.backend.tensorflow.candidate_tiles import TILE
from keras_pruning.backend.tensorflow.candidate_walks import slices, walk
from keras_pruning.backend.tensorflow.difference_search import DifferenceSearch, tie_keys

# Number of candidates beyond k that the fast distances propose for the careful distances.
_MARGIN = 8
# A distance is recomputed if its rounding error may exceed this fraction of its square.
_ACCURACY = 1e-3
# Bytes of a candidate, with those offered meanwhile.
_CANDIDATE_BYTES = 24
# Most support vectors whose mean is the centre.
_AVERAGED = 2**16


class Search:
    """A search for the nearest support vectors of queries, with fast distances in one precision.

    The memory has four equal parts: a chunk of queries with their candidates, a block of the
    support, its products with a tile of queries, and vectors for careful distances.

    Args:
        queries: floats `(queries, dimensions)`, an array or a memory map.
        support: floats `(support, dimensions)`, an array or a memory map.
        k: number of neighbours.
        support_rows: ascending integers `(used,)`, the rows of `support` to search, or `None` for
            all.
        normalize: function of vectors and their row numbers that returns vectors of unit length,
            or `None`.
        memory_limit: number of bytes for all four parts.
        seed: integer >= 0, or a sequence of them, the seed of the order of equal distances.
        dtype: float32 or float64, the dtype of the fast distances.
        center: floats `(dimensions,)`, subtracted from the vectors before the fast distances.
            Defaults to the mean of the support.
    """

    def __init__(
        self,
        queries,
        support,
        k,
        support_rows,
        normalize,
        memory_limit,
        seed,
        dtype,
        center=None,
    ):
        self.queries, self.support, self.support_rows = queries, support, support_rows
        self.k, self.normalize, self.seed, self.dtype = k, normalize, seed, dtype
        # Vectors are centred in this dtype and only then rounded to `dtype`.
        self.exact_dtype = np.result_type(queries.dtype, support.dtype, dtype)
        if normalize is not None:
            self.exact_dtype = np.dtype(np.float64)
        self.size = len(support if support_rows is None else support_rows)
        self.count = min(self.size, k + 1 + _MARGIN)
        # Fit a chunk and a tile of queries, a block of the support and the pairs into a quarter of
        # the memory each.
        self.memory_limit, self.quarter_bytes = memory_limit, memory_limit // 4
        quarter, width = self.quarter_bytes // np.dtype(dtype).itemsize, support.shape[1] + 1
        self.chunk = max(1, quarter // (width + 16 * self.count))
        # Two tiles of products are in memory, with as many support vectors or twice as many.
        pairs = self.quarter_bytes // (4 * np.dtype(dtype).itemsize)
        self.tile = max(1, min(TILE, int(pairs**0.5), quarter // (3 * width), self.chunk))
        self.block = max(1, min(quarter // (3 * width), quarter // self.tile, self.size))
        self.pairs = max(1, quarter // (8 * width))
        # Balances the two steps of finding the largest values: maxima, then values of some groups.
        group = max(1, round((self.block / self.count) ** 0.5))
        # Tensors, because each new Python number would trace the graphs again.
        self.sizes = tf.constant(self.count), tf.constant(group)
        self.center = self._mean() if center is None else center
        # Whether the queries are the support, and the candidates of all of them fit the memory.
        candidates = _CANDIDATE_BYTES * self.count * self.size
        self.joins_itself = (
            _is_same(queries, support)
            and self.size == len(support)
            and candidates <= self.quarter_bytes
        )
        self.overflows = False

    def __call__(self, query_rows, excluded):
        """Finds the nearest support vectors of some queries.

        Args:
            query_rows: integers `(queries,)`, the rows of the queries.
            excluded: integers `(queries,)`, the row of the support that is no neighbour of each
                query, -1 for none.

        Returns:
            Tuple of rows in the support, int64 `(queries, k)`, nearest first; their squared
            distances, float64 of the same shape; and booleans `(queries,)`, true if rounding may
            have hidden a neighbour.
        """
        rows = np.empty((len(query_rows), self.k), np.int64)
        squares = np.empty(rows.shape)
        unsure = np.empty(len(query_rows), bool)

        def settle(part, positions, distances, lengths):
            found = self.positions(positions), distances, excluded[part], lengths
            rows[part], squares[part], unsure[part] = self._settled(query_rows[part], *found)

        with ThreadPoolExecutor(2) as threads:
            calls = []
            for candidates in walk(self, query_rows):
                if len(calls) == 2:
                    calls.pop(0).result()
                calls.append(threads.submit(settle, *candidates))
            for call in calls:
                call.result()
        if self.overflows:
            unsure[:] = True
            squares[:] = np.inf
        return rows, squares, unsure

    def _settled(self, query_rows, rows, squares, excluded, lengths):
        """Selects the k nearest candidates, in an order that does not depend on rounding.

        Args:
            query_rows: integers `(queries,)`, the rows of the queries.
            rows: int64 `(queries, count)`, the candidates.
            squares: floats of the same shape, their fast squared distances.
            excluded: as for `__call__`.
            lengths: floats `(queries,)`, the lengths of the centred queries.

        Returns:
            The three results of `__call__`.
        """
        # Move the excluded row, whose distance serves as a bound, to the end.
        farthest = squares.max(axis=1)
        squares = np.where(rows == excluded[:, np.newaxis], np.inf, squares)
        order = np.argsort(squares, axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, 1)
        squares = np.take_along_axis(squares, order, 1).astype(np.float64)
        # Find the distances whose value or order rounding leaves open.
        kth = squares[:, self.k - 1 : self.k]
        error = self.rounding(lengths[:, np.newaxis], kth)
        uncertain = squares * _ACCURACY < error
        close = squares[:, 1:] <= squares[:, :-1] + 2 * error
        uncertain[:, 1:] |= close
        uncertain[:, :-1] |= close
        # Beyond the k-th candidate only those matter that may belong before it.
        uncertain[:, self.k :] = squares[:, self.k :] <= kth + 2 * error
        uncertain &= np.isfinite(squares)
        # Recompute these distances, and sort the candidates of their queries again, ties at random.
        squares[uncertain] = self.careful(query_rows[np.nonzero(uncertain)[0]], rows[uncertain])
        changed = np.flatnonzero(uncertain.any(axis=1))
        keys = tie_keys(self.seed, query_rows[changed, np.newaxis], rows[changed])
        order = np.lexsort((keys, squares[changed]))[:, : self.k]
        rows[changed, : self.k] = np.take_along_axis(rows[changed], order, 1)
        squares[changed, : self.k] = np.take_along_axis(squares[changed], order, 1)
        # A neighbour may be missing unless the k-th distance is clearly below the last candidate's.
        # Not `>=`: a distance that overflows the precision is NaN, and NaN compares as false.
        missing = ~(squares[:, self.k - 1] + 2 * error[:, 0] < farthest) | ~np.isfinite(farthest)
        unsure = (missing & (self.count < self.size)) | ~np.isfinite(squares[:, self.k - 1])
        return rows[:, : self.k], squares[:, : self.k], unsure

    def rounding(self, lengths, farthest):
        """Returns a bound on the rounding error of fast squared distances of possible neighbours.

        A vector nearer than the farthest neighbour is at most as long as the query plus the
        distance of that neighbour. The error of a dot product of n terms grows like √n. The
        constant 4 leaves a margin.

        Args:
            lengths: floats `(queries, 1)`, the lengths of the centred queries.
            farthest: floats `(queries, 1)`, the squared distance of the farthest neighbour.

        Returns:
            Floats `(queries, 1)`.
        """
        ulp = np.finfo(self.dtype).eps * (4 + np.sqrt(self.queries.shape[1]))
        return ulp * (lengths**2 + (lengths + np.sqrt(farthest)) ** 2)

    def careful(self, query_rows, rows):
        """Returns float64 squared distances of pairs of a query and a support vector.

        They are computed from differences, without cancellation.
        """
        squares = np.empty(len(rows))
        for part in slices(len(rows), self.pairs):
            queries = self.vectors_at(self.queries, query_rows[part])
            vectors = self.vectors_at(self.support, rows[part])
            differences = np.subtract(queries, vectors, dtype=np.float64)
            squares[part] = np.einsum("ij,ij->i", differences, differences)
        return squares

    def by_differences(self, query_rows, excluded, rows):
        """Finds the nearest support vectors from the differences of distinct vectors.

        It is slow, and exact to the last digits even if thousands of vectors are nearly equal.

        Args:
            query_rows, excluded: as for `__call__`.
            rows: integers `(queries, k)`, support vectors that are as near as `__call__` has found.

        Returns:
            The rows and the squared distances, as in `__call__`.
        """
        return DifferenceSearch(self)(query_rows, excluded, self.farthest(query_rows, rows))

    def farthest(self, query_rows, rows):
        """Returns squared distances within which the queries have the support vectors at `rows`."""
        squares = self.careful(np.repeat(query_rows, rows.shape[1]), rows.ravel())
        # Leave room for sums in another order.
        return squares.reshape(rows.shape).max(axis=1) * (1 + 1e-9)

    def around(self, center, rows):
        """Returns a search of some rows of the support around another centre."""
        arguments = self.queries, self.support, self.k, rows, self.normalize
        return Search(*arguments, self.memory_limit, self.seed, self.dtype, center)

    def centered(self, vectors, rows):
        """Returns the vectors at `rows` minus the mean of the support, which saves digits."""
        # Numbers that are too large for the dtype are seen later.
        with np.errstate(over="ignore", invalid="ignore"):
            vectors = self.vectors_at(vectors, rows) - self.center
            return vectors.astype(self.dtype, copy=False)

    def vectors_at(self, vectors, rows):
        """Returns the vectors at `rows`, a slice or integers, of unit length with `normalize`."""
        block = np.asarray(vectors[rows], self.exact_dtype)
        return block if self.normalize is None else self.normalize(block, np.r_[rows])

    def note_overflows(self, squares):
        """Notes if squared lengths of the support are not finite: such vectors have no products."""
        self.overflows |= not np.isfinite(squares).all()

    def positions(self, positions):
        """Returns the rows of the support at some of the positions that are searched."""
        if self.support_rows is not None:
            return self.support_rows[positions]
        return np.r_[positions] if isinstance(positions, slice) else positions

    def _mean(self):
        """Returns the mean of the support vectors, or of some of them, summed in float64.

        Any centre near to the vectors saves digits.
        """
        total, block = np.zeros(self.support.shape[1]), min(self.block, 1024)
        parts = slices(self.size, block)
        parts = parts[:: -(-len(parts) * block // _AVERAGED)]
        for part in parts:
            rows = part if self.support_rows is None else self.support_rows[part]
            total += self.vectors_at(self.support, rows).sum(axis=0, dtype=np.float64)
        return (total / sum(part.stop - part.start for part in parts)).astype(self.exact_dtype)


def _is_same(queries, support):
    """Returns whether two arrays are the same memory, seen in the same way."""
    if queries is support:
        return True
    views = [
        (array.ctypes.data, array.shape, array.strides, array.dtype) for array in (queries, support)
    ]
    return views[0] == views[1]


@contextlib.contextmanager
def exact_products():
    """Makes products of float32 exact to float32. By default GPUs round the factors to 10 bits."""
    rounded = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(rounded)
