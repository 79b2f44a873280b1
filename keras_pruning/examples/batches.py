"""Batches of examples: `tf.data` datasets that read the stored inputs by row."""

from keras_pruning.arguments import require_positive_integer
from keras_pruning.errors import InputError

# Batches that are read before they are needed.
_AHEAD = 2


def reader(inputs, stored_rows, labels):
    """Returns a function from rows to their inputs and labels, inside `tf.data`.

    Args:
        inputs: `Inputs` of all stored examples.
        stored_rows: integers `(examples,)`, the positions of the examples among the stored ones.
        labels: int64 `(examples,)`.
    """
    import tensorflow as tf

    stored_rows, labels = tf.constant(stored_rows), tf.constant(labels)
    return lambda rows: (
        inputs.take(tf.gather(stored_rows, rows)),
        tf.gather(labels, rows),
    )


def for_fit(read, count, batch_size, shuffle, seed, augmentation, rows, skipped=0):
    """Returns the batches of `Examples.batches`, or those that follow in its repetition.

    Args:
        read: function of `reader`.
        count: number of examples.
        batch_size, shuffle, seed, augmentation, rows: as for `Examples.batches`.
        skipped: number of batches that an interrupted run has had. If it is not 0, the batches
            after these repeat without end.
    """
    import tensorflow as tf

    # Shuffle row numbers, not inputs, so that the buffer of the shuffle stays small.
    order = tf.data.Dataset.range(count)
    if shuffle:
        order = order.shuffle(count, seed=seed, reshuffle_each_iteration=True)
    order = order.batch(batch_size)
    if augmentation is not None:
        # A pair of random numbers for each batch seeds its augmentation.
        draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
        order = tf.data.Dataset.zip(order, draws)
    if skipped:
        # Skipped batches draw their random numbers but read no inputs
        order = order.repeat().skip(skipped)

    def batch(row, draw=None):
        x, y = read(row)
        x = x if augmentation is None else augmentation(x, draw)
        # Pass the rows on only to a model that records them.
        return ({"x": x, "row": row} if rows else x), y

    return _ready(order.map(batch))


def of_epochs(read, arrays, batch_size, augmentation):
    """Returns batches `({"x", "row"}, y, weight)` of the examples that each epoch is given.

    Args:
        read: function of `reader`.
        arrays: function that is called when an epoch begins to read. Returns int64 rows
            `(kept,)`, float32 weights `(kept,)` and int64 seeds `(batches, 2)`.
        batch_size: number of examples in a batch.
        augmentation: function of a batch and a seed, or `None`.
    """
    import tensorflow as tf

    def epoch(_):
        rows, weights, draws = tf.numpy_function(arrays, [], (tf.int64, tf.float32, tf.int64))
        rows, weights = tf.ensure_shape(rows, (None,)), tf.ensure_shape(weights, (None,))
        kept = tf.data.Dataset.from_tensor_slices((rows, weights)).batch(batch_size)
        draws = tf.data.Dataset.from_tensor_slices(tf.ensure_shape(draws, (None, 2)))
        return tf.data.Dataset.zip(kept, draws)

    def batch(kept, draw):
        rows, weights = kept
        x, y = read(rows)
        x = x if augmentation is None else augmentation(x, draw)
        return {"x": x, "row": rows}, y, weights

    batches = tf.data.Dataset.range(1).flat_map(epoch).map(batch)
    return _ready(batches)


def in_order(read, count, batch_size):
    """Returns the batches of `Examples.scoring_batches`, with arguments as for `for_fit`."""
    import tensorflow as tf

    rows = tf.data.Dataset.range(count).batch(batch_size)
    batches = rows.map(lambda rows: (rows, *read(rows)))
    return _ready(batches)


def _ready(batches):
    """Returns the dataset with some batches read ahead, and without two services of `tf.data`.

    Graph optimisations would copy all stored inputs first. Autotuning has a thread that wakes 10,
    30, 70, 150, ... ms after the beginning of an epoch, and the end of the epoch can wait for it.
    Nothing here needs tuning.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return batches.prefetch(_AHEAD).with_options(options)


def checked_batch_size(batch_size):
    """Returns the size as an `int`. Raises an `InputError` unless it is a positive integer."""
    if batch_size is None:
        raise InputError(
            "Invalid `batch_size`. Expected a positive integer. Received: batch_size=None"
        )
    return require_positive_integer("batch_size", batch_size)
