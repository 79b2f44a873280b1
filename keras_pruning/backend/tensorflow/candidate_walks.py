"""Walks of queries over the support that find candidates by fast distances.

All of them yield slices of the queries in order, and for each positions among the support vectors,
int64 `(queries, count)`; fast squared distances of the same shape, infinite where there is none;
and the lengths of the centred queries, `(queries,)`.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from keras_pruning.backend.tensorflow import nearest_candidates
from keras_pruning.backend.tensorflow.candidate_tiles import (
    Tile,
    group_size,
    products_above,
    products_and_maxima,
    with_halves,
)


def slices(length, block):
    """Returns slices of at most `block` positions that cover `length` positions, in order."""
    return [slice(start, min(start + block, length)) for start in range(0, length, block)]


def walk(search, query_rows):
    """Finds the candidates of queries in the way that suits the device and the memory.

    Args:
        search: `keras_pruning.backend.tensorflow.neighbor_search.Search`.
        query_rows: integers `(queries,)`, the rows of the queries.
    """
    if tf.config.list_logical_devices("GPU"):
        return on_accelerator(search, query_rows)
    if search.joins_itself and len(query_rows) == search.size:
        return _self_join(search)
    return _all_pairs(search, query_rows)


def _self_join(search):
    """Computes the product of each two vectors once, because the queries are the support."""
    parts = slices(search.size, search.tile)
    tiles = []
    chunk = max(1, search.chunk // search.tile)
    with _one_behind() as take:
        for first in range(0, len(parts), chunk):
            # Keep a chunk of tiles in memory, and read those behind it once.
            for number, vectors in enumerate(_ahead(search, parts[first:]), first):
                if not first:
                    tiles.append(Tile(with_halves(vectors), search.count))
                    _offer_itself(search, tiles[number], vectors, parts[number].start)
                elif number < first + chunk:
                    tiles[number].vectors = tf.constant(with_halves(vectors))
                support = tf.constant(with_halves(vectors, as_support=True))
                for other in range(first, min(number, first + chunk)):
                    pair = tiles[other], tiles[number]
                    bounds = pair[0].bounds[:, np.newaxis], pair[1].bounds[np.newaxis]
                    results = products_above(pair[0].vectors, support, *bounds)
                    take(_offer_both, pair, *results, parts[other].start, parts[number].start)
                if number >= first + chunk:
                    tiles[number].vectors = None
            for tile in tiles[first : first + chunk]:
                tile.vectors = None
    for part, tile in zip(parts, tiles, strict=True):
        yield part, *tile.best()


def _offer_itself(search, tile, vectors, first):
    """Offers a tile its own vectors, which gives it the first bounds."""
    group = group_size(search.tile, search.count)
    support = with_halves(vectors, as_support=True, group=group)
    # Not in the thread, because the next products need the bounds.
    tile.offer(*products_and_maxima(tile.vectors, support, tf.constant(group)), first)


def _offer_both(pair, products, above, above_other, first, other_first):
    """Offers the rows of the products to one tile, and the columns to the other."""
    products = np.asarray(products)
    pair[0].offer_above(products, np.asarray(above), other_first)
    pair[1].offer_above(products.T, np.asarray(above_other).T, first)


def _all_pairs(search, query_rows):
    """Computes the product of each query and each support vector."""
    width = 2 * search.tile
    group = group_size(width, search.count)
    size = tf.constant(group)
    for chunk in slices(len(query_rows), search.chunk):
        parts = slices(chunk.stop - chunk.start, search.tile)
        rows = query_rows[chunk]
        tiles = [
            Tile(with_halves(search.centered(search.queries, rows[part])), search.count)
            for part in parts
        ]
        columns = slices(search.size, width)
        with _one_behind() as take:
            for part, vectors in zip(columns, _ahead(search, columns), strict=True):
                support = tf.constant(with_halves(vectors, as_support=True, group=group))
                for tile in tiles:
                    take(tile.offer, *products_and_maxima(tile.vectors, support, size), part.start)
        for part, tile in zip(parts, tiles, strict=True):
            yield slice(chunk.start + part.start, chunk.start + part.stop), *tile.best()


def _ahead(search, parts):
    """Yields the centred support vectors of each part, and reads the next meanwhile in a thread."""

    def read(part):
        rows = part if search.support_rows is None else search.support_rows[part]
        vectors = search.centered(search.support, rows)
        # A vector that is too long for the precision has no products.
        search.overflows |= not np.isfinite(np.einsum("ij,ij->i", vectors, vectors)).all()
        return vectors

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(read, parts[0])
        for part in [*parts[1:], None]:
            vectors = coming.result()
            coming = thread.submit(read, part) if part else None
            yield vectors


@contextlib.contextmanager
def _one_behind():
    """Yields a function that calls another one in a thread, once the call before has ended.

    NumPy looks for candidates in one tile of products while TensorFlow computes the next.
    """
    calls = []
    with ThreadPoolExecutor(1) as thread:

        def take(function, *arguments):
            if calls:
                calls.pop().result()
            calls.append(thread.submit(function, *arguments))

        yield take
        for call in calls:
            call.result()


def on_accelerator(search, query_rows):
    """Computes all products, and their largest, on the device."""
    for chunk in slices(len(query_rows), search.chunk):
        # Keep all tiles of queries in memory, and read each block of the support once.
        parts = slices(chunk.stop - chunk.start, search.tile)
        rows = query_rows[chunk]
        tiles = [
            nearest_candidates.as_queries(tf.constant(search.centered(search.queries, rows[part])))
            for part in parts
        ]
        best = [nearest_candidates.no_candidates(tile) for tile in tiles]
        for block in slices(search.size, search.block):
            rows = block if search.support_rows is None else search.support_rows[block]
            vectors = tf.constant(search.centered(search.support, rows))
            support = nearest_candidates.as_support(vectors, search.sizes[1])
            first = tf.constant(block.start, tf.int64)
            for number, tile in enumerate(tiles):
                best[number] = nearest_candidates.merged(
                    *best[number], tile, support, first, *search.sizes
                )
        for part, tile, candidates in zip(parts, tiles, best, strict=True):
            results = nearest_candidates.as_squares(*candidates, tile)
            part = slice(chunk.start + part.start, chunk.start + part.stop)
            yield part, *(tensor.numpy() for tensor in results)
