"""Leaks: test examples that have a near duplicate among the training examples."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.arguments import require_positive_integer
from keras_pruning.backend.tensorflow.close_pairs import ClosePairs, UnitVectors
from keras_pruning.backend.tensorflow.neighbor_search import exact_products, slices
from keras_pruning.embeddings.directions import require_threshold
from keras_pruning.embeddings.duplicate_search import tile_size
from keras_pruning.embeddings.near_duplicates import has_zeros, opened
from keras_pruning.errors import InputError


@dataclass(frozen=True, eq=False)
class Leaks:
    """Pairs of a training and a test example that are near.

    Args:
        train_rows: int64 `(pairs,)`, the row of the training example.
        test_rows: int64 `(pairs,)`, ascending, the row of the test example.
        distances: float64 `(pairs,)`, 1 − cos, ascending for each test example.
        counts: int64 `(test examples,)`, the number of training examples near to each. It counts
            the pairs beyond `most` too.
        in_train: booleans `(training examples,)`, true if a test example is near.
        threshold: the largest 1 − cos of near examples.
    """

    train_rows: np.ndarray
    test_rows: np.ndarray
    distances: np.ndarray
    counts: np.ndarray
    in_train: np.ndarray
    threshold: float

    def __repr__(self):
        return (
            f"<Leaks: {int(self.in_test.sum()):,} of {len(self.counts):,} test examples are near "
            f"to {int(self.in_train.sum()):,} of {len(self.in_train):,} training examples>"
        )

    @property
    def in_test(self):
        """Booleans `(test examples,)`, true if a training example is near."""
        return self.counts > 0


def leaks(train_embedding, test_embedding, threshold=0.05, most=10, memory_limit=2**29):
    """Finds the pairs of a training and a test example that are near.

    A pair is near if 1 − cos ≤ threshold, exactly as in `near_duplicates`. The accuracy on such
    test examples says nothing about new examples.

    Args:
        train_embedding: numbers `(training examples, dimensions)`, an array, a memory map, or the
            path of a `.npy` file.
        test_embedding: numbers `(test examples, dimensions)`, the same features of the test
            examples.
        threshold: number in [0, 1).
        most: number of training examples to list for each test example, the nearest ones up to the
            rounding of float32.
        memory_limit: number of bytes for blocks of vectors.

    Returns:
        `Leaks`.

    Raises:
        InputError: if an argument is invalid, if the dimensions differ, or if a vector is not
            finite.
    """
    stored = opened("train_embedding", train_embedding), opened("test_embedding", test_embedding)
    if stored[0].shape[1] != stored[1].shape[1]:
        raise InputError(
            "The embeddings differ. Expected as many dimensions of training and test examples. "
            f"Received: train_embedding of shape {stored[0].shape}, test_embedding of shape "
            f"{stored[1].shape}"
        )
    threshold = require_threshold(threshold)
    most = require_positive_integer("most", most, or_none=False)
    memory_limit = require_positive_integer("memory_limit", memory_limit, or_none=False)
    zeros = has_zeros("train_embedding", stored[0]) | has_zeros("test_embedding", stored[1])
    train, test = (UnitVectors(vectors, zeros) for vectors in stored)
    return _Search(train, test, threshold, most, memory_limit).run()


class _Search:
    """Compares all test with all training examples, tile by tile.

    Args:
        train, test: `UnitVectors`.
        threshold, most, memory_limit: as for `leaks`.
    """

    def __init__(self, train, test, threshold, most, memory_limit):
        self.train, self.test, self.threshold, self.most = train, test, threshold, most
        width, quarter = train.exact(slice(0, 1)).shape[1], memory_limit // 4
        self.pairs = ClosePairs(width, threshold, quarter)
        self.tile = tile_size(width, memory_limit)
        self.chunk = self.tile * max(1, quarter // (4 * width * self.tile))
        self.counts = np.zeros(len(test), np.int64)
        self.in_train = np.zeros(len(train), bool)

    def run(self):
        """Returns the `Leaks`."""
        lists = []
        with exact_products():
            for chunk in slices(len(self.test), self.chunk):
                lists += self._of_chunk(chunk)
        test_rows, train_rows = (np.concatenate(rows) for rows in zip(*lists, strict=True))
        # Sort by exact distances, equal ones by the row of the training example.
        distances = self.pairs.distances(self.test, test_rows, self.train, train_rows)
        order = np.lexsort((train_rows, distances, test_rows))
        columns = train_rows[order], test_rows[order], distances[order]
        return Leaks(*columns, self.counts, self.in_train, self.threshold)

    def _of_chunk(self, chunk):
        """Returns test and training rows of the pairs to list, for each tile of a chunk."""
        starts = range(chunk.start, chunk.stop, self.tile)
        parts = [slice(start, min(start + self.tile, chunk.stop)) for start in starts]
        tiles = [self.test.tile(part) for part in parts]
        nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        best = [nothing for _ in parts]
        # Read each tile of the training examples once for the whole chunk.
        for block in slices(len(self.train), self.tile):
            vectors = self.train.tile(block)
            for number, (part, tile) in enumerate(zip(parts, tiles, strict=True)):
                near = self._near(part, tile, block, vectors)
                if len(near[0]):
                    best[number] = self._nearest(best[number], near)
        return [(test_rows, train_rows) for test_rows, train_rows, _ in best]

    def _near(self, part, tile, block, vectors):
        """Counts the near pairs of two tiles and returns their rows and fast cosines."""
        sizes = part.stop - part.start, block.stop - block.start
        flags = [np.zeros(size, bool) for size in sizes]
        # All pairs matter, because the tiles are of different groups.
        groups = [np.full(size, group) for group, size in enumerate(sizes)]
        first, second, cosines, near = self.pairs(tile, vectors, *flags, *groups)
        test_rows, train_rows = first + part.start, second + block.start
        doubtful = np.flatnonzero(~near)
        rows = test_rows[doubtful], train_rows[doubtful]
        near[doubtful] = self.pairs.are_near(self.test, rows[0], self.train, rows[1])
        test_rows, train_rows = test_rows[near], train_rows[near]
        self.counts[part] += np.bincount(test_rows - part.start, minlength=sizes[0])
        self.in_train[train_rows] = True
        return test_rows, train_rows, cosines[near]

    def _nearest(self, best, others):
        """Returns the pairs with the largest cosines of each test example, at most `most`."""
        pairs = [np.concatenate(arrays) for arrays in zip(best, others, strict=True)]
        test_rows, train_rows, cosines = pairs
        order = np.lexsort((train_rows, -cosines, test_rows))
        test_rows = test_rows[order]
        place = np.arange(len(order)) - np.searchsorted(test_rows, test_rows)
        order = order[place < self.most]
        return tuple(array[order] for array in pairs)
