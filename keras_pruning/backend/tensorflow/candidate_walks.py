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

# Threads that look for candidates of tiles in turn: while NumPy works in one of them, TensorFlow
# computes with all cores in the other.
_THREADS = 2


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
    # A self-join takes all queries in the order of the support.
    if search.joins_itself and np.array_equal(query_rows, np.arange(search.size)):
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
            for number, table in enumerate(_ahead(search, parts[first:]), first):
                vectors = table[:, :-2]
                if not first:
                    tiles.append(Tile(table, search.count))
                    _offer_itself(search, tiles[number], vectors, parts[number].start)
                elif number < first + chunk:
                    tiles[number].vectors = tf.constant(table)
                support = tf.constant(with_halves(vectors, as_support=True))
                for other in range(first, min(number, first + chunk)):
                    one, two = tiles[other], tiles[number]
                    bounds = one.bounds[:, np.newaxis], two.bounds[np.newaxis]
                    results = map(np.asarray, products_above(one.vectors, support, *bounds))
                    products, above, above_other = results
                    # Offer the rows to one tile, and the columns to the other.
                    take(
                        (one.offer_above, products, above, parts[number].start),
                        (two.offer_above, products.T, above_other.T, parts[other].start),
                    )
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


def _all_pairs(search, query_rows):
    """Computes the product of each query and each support vector."""

    def offer(tile, support, group, first):
        tile.offer(*products_and_maxima(tile.vectors, support, group), first)

    for chunk in slices(len(query_rows), search.chunk):
        rows = query_rows[chunk]
        # As many tiles for each thread, of equal heights, and wide ones for few queries.
        turns = -(-len(rows) // (_THREADS * search.tile))
        height = -(-len(rows) // (_THREADS * turns))
        # Up to six blocks of the support are in memory: two being read, and four with their copies.
        width = min(2 * search.tile**2 // height, max(search.tile, search.block // 2))
        parts, columns = slices(len(rows), height), slices(search.size, width)
        tiles = [
            Tile(with_halves(search.centered(search.queries, rows[part])), search.count)
            for part in parts
        ]
        group = group_size(width, search.count)
        size = tf.constant(group)
        with _in_order() as run:
            tables = _ahead(search, columns, as_support=True, group=group)
            for part, table in zip(columns, tables, strict=True):
                support = tf.constant(table)
                run([(offer, tile, support, size, part.start) for tile in tiles])
        for part, tile in zip(parts, tiles, strict=True):
            yield slice(chunk.start + part.start, chunk.start + part.stop), *tile.best()


@contextlib.contextmanager
def _in_order():
    """Yields a function that runs a list of calls in two threads.

    The calls at one place of all lists run in order.
    """
    with contextlib.ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(_THREADS)]
        before = []

        def run(calls):
            coming = [threads[i % _THREADS].submit(*call) for i, call in enumerate(calls)]
            # No more than two lists are in memory.
            for call in before:
                call.result()
            before[:] = coming

        yield run
        run([])


def _ahead(search, parts, **options):
    """Yields `with_halves` of parts of the support, and makes the next meanwhile in a thread."""

    def read(part):
        rows = part if search.support_rows is None else search.support_rows[part]
        table = with_halves(search.centered(search.support, rows), **options)
        search.note_overflows(table[: part.stop - part.start, -2:])
        return table

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(read, parts[0])
        for part in [*parts[1:], None]:
            table = coming.result()
            coming = thread.submit(read, part) if part else None
            yield table


@contextlib.contextmanager
def _one_behind():
    """Yields a function that makes calls in threads, once the calls before have ended.

    NumPy looks for candidates in one tile of products while TensorFlow computes the next.
    """
    pending = []
    with ThreadPoolExecutor(2) as threads:

        def take(*calls):
            while pending:
                pending.pop().result()
            pending.extend(threads.submit(*call) for call in calls)

        yield take
        take()


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
            search.note_overflows(support[: len(vectors), -1].numpy())
            first = tf.constant(block.start, tf.int64)
            for number, tile in enumerate(tiles):
                best[number] = nearest_candidates.merged(
                    *best[number], tile, support, first, *search.sizes
                )
        for part, tile, candidates in zip(parts, tiles, best, strict=True):
            results = nearest_candidates.as_squares(*candidates, tile)
            part = slice(chunk.start + part.start, chunk.start + part.stop)
            yield part, *(tensor.numpy() for tensor in results)
