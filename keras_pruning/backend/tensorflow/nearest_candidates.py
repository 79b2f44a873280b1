"""Graphs of the neighbour search: candidates of queries, block by block of the support."""

import numpy as np
import tensorflow as tf


@tf.function(reduce_retracing=True)
def as_queries(vectors):
    """Appends a column of ones to the vectors."""
    return tf.concat([vectors, tf.ones_like(vectors[:, :1])], axis=1)


@tf.function(reduce_retracing=True)
def as_support(vectors, group):
    """Appends a column of −‖s‖²/2 to the vectors, so that one product with a query ranks them.

    Vectors that are infinitely far away fill the block up to a multiple of `group`.
    """
    ranks = tf.reduce_sum(vectors**2, axis=1) / -2
    missing = -tf.shape(vectors)[0] % group
    ranks = tf.pad(ranks, [[0, missing]], constant_values=-np.inf)
    return tf.concat([tf.pad(vectors, [[0, missing], [0, 0]]), ranks[:, tf.newaxis]], axis=1)


def no_candidates(queries):
    """Returns empty values and rows of candidates for a tile of queries."""
    return tf.zeros((len(queries), 0), queries.dtype), tf.zeros((len(queries), 0), tf.int64)


@tf.function(reduce_retracing=True)
def merged(best_values, best_rows, queries, support, first, count, group):
    """Merges a block of the support into the best candidates of a tile of queries.

    Args:
        best_values: floats `(queries, candidates)`, q·s − ‖s‖²/2 of the candidates so far.
        best_rows: int64 of the same shape, their positions among the support vectors.
        queries: `as_queries` of the tile.
        support: `as_support` of the block.
        first: int64, the position of the block's first vector.
        count: number of candidates to keep.
        group: number of values in a group of `_largest`.

    Returns:
        Values and positions of the best candidates, the nearest first.
    """
    # Of the block only its own best candidates can stay.
    values = tf.matmul(queries, support, transpose_b=True)
    values, positions = _largest(values, count, group)
    values = tf.concat([best_values, values], axis=1)
    rows = tf.concat([best_rows, first + tf.cast(positions, tf.int64)], axis=1)
    values, order = tf.math.top_k(values, tf.minimum(count, tf.shape(values)[1]))
    return values, tf.gather(rows, order, axis=1, batch_dims=1)


def _largest(values, count, group):
    """Returns the `count` largest values of each row, or all, and their positions.

    They are in the `count` groups with the largest maxima. The maxima take one fast pass over the
    values. The slow `top_k` sees only the maxima and the values of these groups.
    """
    # Find the groups with the largest maxima.
    groups = tf.shape(values)[1] // group
    grouped = tf.reshape(values, (-1, group, groups))
    _, chosen = tf.math.top_k(tf.reduce_max(grouped, axis=1), tf.minimum(count, groups), False)
    # Find the largest values inside of these groups.
    inside = tf.gather(grouped, chosen, axis=2, batch_dims=1)
    inside = tf.reshape(inside, (tf.shape(values)[0], -1))
    values, order = tf.math.top_k(inside, tf.minimum(count, tf.shape(inside)[1]))
    # Convert positions inside of these groups to columns of `values`.
    member, place = order // tf.shape(chosen)[1], order % tf.shape(chosen)[1]
    return values, member * groups + tf.gather(chosen, place, axis=1, batch_dims=1)


@tf.function(reduce_retracing=True)
def as_squares(values, rows, queries):
    """Returns the rows, the squared distances of `values`, and the lengths of the queries."""
    # The last column holds the ones.
    squares = tf.reduce_sum(queries[:, :-1] ** 2, axis=1)
    return rows, tf.maximum(squares[:, tf.newaxis] - 2 * values, 0), tf.sqrt(squares)
