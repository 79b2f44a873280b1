"""The search for groups of near vectors, and for the vectors to keep of each group.

A *position* is a place in the order of priority. The first position has the highest priority.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from keras_pruning.backend.tensorflow.close_pairs import TILE, ClosePairs
from keras_pruning.backend.tensorflow.neighbor_search import exact_products, slices

# Pairs whose distance is computed in float64 before the others are looked at again.
_RECHECKED = 4096


class Forest:
    """Connected components of examples, as a forest whose roots stand for the components.

    Args:
        size: number of examples.
    """

    def __init__(self, size):
        self.parents = np.arange(size)

    def roots(self, positions):
        """Returns the root of each example at `positions`, a slice or integers."""
        roots = self.parents[positions]
        while ((above := self.parents[roots]) != roots).any():
            roots = above
        # Shorten the paths for the next call.
        self.parents[positions] = roots
        return roots

    def join(self, first, second):
        """Joins the components of the examples at `first` and `second`, pair by pair."""
        if not len(first):
            return
        ends = self.roots(first), self.roots(second)
        known, places = np.unique(np.concatenate(ends), return_inverse=True)
        rows, columns = np.split(places, 2)
        edges = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(known),) * 2)
        count, numbers = connected_components(edges, directed=False)
        # The lowest root of each component becomes the root of all of it.
        lowest = np.full(count, len(self.parents))
        np.minimum.at(lowest, numbers, known)
        self.parents[known] = lowest[numbers]


class DuplicateSearch:
    """Finds the connected components of near vectors, and a kept vector near to each dropped one.

    All tiles of vectors are compared in the order of priority. Pairs that can change neither the
    components nor the kept vectors are left out, so that thousands of equal vectors cost no more
    memory than others. The memory has four equal parts: the tiles of a chunk of vectors, a tile of
    earlier vectors in float64, the pairs of two tiles, and the vectors of a recheck.

    Args:
        vectors: `UnitVectors`.
        order: integers `(vectors,)`, the row at each position.
        threshold: largest 1 − cos of a near pair.
        memory_limit: number of bytes.
    """

    def __init__(self, vectors, order, threshold, memory_limit):
        self.vectors, self.order = vectors, order
        width, quarter = vectors.exact(slice(0, 1)).shape[1], memory_limit // 4
        self.pairs = ClosePairs(width, threshold, quarter)
        self.tile = tile_size(width, memory_limit)
        tiles = max(1, quarter // (4 * width * self.tile))
        self.chunks = slices(len(order), tiles * self.tile)
        self.forest = Forest(len(order))
        # Positions that no kept one is near to so far, and the kept one that each is near to.
        self.is_open = np.ones(len(order), bool)
        self.nearby = np.arange(len(order))

    def run(self):
        """Compares all vectors.

        Returns:
            Tuple of integers `(positions,)`, the root of each component, and integers
            `(positions,)`, the position of a kept vector near to each: itself if it is kept.
        """
        with exact_products():
            for chunk in self.chunks:
                parts = [
                    slice(chunk.start + part.start, chunk.start + part.stop)
                    for part in slices(chunk.stop - chunk.start, self.tile)
                ]
                tiles = [self._tile(part) for part in parts]
                # Read each earlier tile once for the whole chunk.
                for earlier in slices(chunk.start, self.tile):
                    vectors = self._tile(earlier)
                    for part, tile in zip(parts, tiles, strict=True):
                        self._compare(part, tile, earlier, vectors)
                for number, (part, tile) in enumerate(zip(parts, tiles, strict=True)):
                    for earlier, vectors in zip(parts[:number], tiles[:number], strict=True):
                        self._compare(part, tile, earlier, vectors)
                    self._compare_within(part, tile)
        return self.forest.roots(slice(None)), self.nearby

    def _tile(self, part):
        return self.vectors.tile(self.order[part])

    def _compare(self, part, tile, earlier, vectors):
        """Compares a tile with one of higher priority, whose kept vectors are known."""
        later, before, sure = self._pairs(part, tile, earlier, vectors)
        # Drop the vectors that a kept one is near to.
        drops = np.flatnonzero(self.is_open[later] & self.is_open[before])
        drops = drops[self._are_near(later[drops], before[drops], sure[drops])]
        dropped, firsts = np.unique(later[drops], return_index=True)
        self.nearby[dropped], self.is_open[dropped] = before[drops[firsts]], False
        self.forest.join(later[drops], before[drops])
        self._join_others(later, before, sure)

    def _compare_within(self, part, tile):
        """Compares the vectors of a tile with each other, and decides which of them are kept."""
        later, before, sure = self._pairs(part, tile, part, tile)
        later, before, sure = (array[later > before] for array in (later, before, sure))
        # Sort the pairs by the vector of higher priority.
        both = np.flatnonzero(self.is_open[later] & self.is_open[before])
        both = both[np.argsort(before[both], kind="stable")]
        firsts, starts = np.unique(before[both], return_index=True)
        ends = np.append(starts, len(both))[1:]
        for position, start, end in zip(firsts, starts, ends, strict=True):
            if not self.is_open[position]:
                continue
            # It is kept, because no kept vector is near. Drop the vectors that are near to it.
            drops = both[start:end]
            drops = drops[self.is_open[later[drops]]]
            drops = drops[self._are_near(later[drops], before[drops], sure[drops])]
            self.nearby[later[drops]], self.is_open[later[drops]] = position, False
        dropped = np.arange(part.start, part.stop)[~self.is_open[part]]
        self.forest.join(dropped, self.nearby[dropped])
        self._join_others(later, before, sure)

    def _pairs(self, part, tile, earlier, vectors):
        """Returns the positions of the pairs that may be near and matter, and whether it is sure"""
        first, second, _, sure = self.pairs(
            tile,
            vectors,
            self.is_open[part],
            self.is_open[earlier],
            self.forest.roots(part),
            self.forest.roots(earlier),
        )
        return first + part.start, second + earlier.start, sure

    def _join_others(self, later, before, sure):
        """Joins the components of the pairs that are near and in different ones so far."""
        apart = self._apart(later, before, np.flatnonzero(sure))
        self.forest.join(later[apart], before[apart])
        # Recheck the others part by part, because a few of them may join most.
        doubtful = self._apart(later, before, np.flatnonzero(~sure))
        while len(doubtful):
            part, doubtful = doubtful[:_RECHECKED], doubtful[_RECHECKED:]
            near = part[self._are_near(later[part], before[part], sure[part])]
            self.forest.join(later[near], before[near])
            doubtful = self._apart(later, before, doubtful)

    def _apart(self, later, before, chosen):
        """Returns the pairs among `chosen` whose vectors are in different components."""
        return chosen[self.forest.roots(later[chosen]) != self.forest.roots(before[chosen])]

    def _are_near(self, later, before, sure):
        """Returns whether pairs are near, after a recheck of those that are not sure."""
        near, doubtful = sure.copy(), np.flatnonzero(~sure)
        rows = self.order[later[doubtful]], self.order[before[doubtful]]
        near[doubtful] = self.pairs.are_near(self.vectors, rows[0], self.vectors, rows[1])
        return near


def tile_size(width, memory_limit):
    """Returns the number of vectors in a tile.

    Args:
        width: number of dimensions.
        memory_limit: number of bytes, of which a tile and the pairs of two tiles take a quarter.
    """
    quarter = memory_limit // 4
    # A tile is made in float64, with two copies. A pair takes up to 64 bytes.
    return max(1, min(TILE, quarter // (24 * width), int((quarter // 64) ** 0.5)))
