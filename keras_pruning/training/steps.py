"""Counts the steps of an epoch, and how often they present an example."""

import math

import keras

# Most steps in one call of the training graph
_STEPS_PER_EXECUTION = 128


def steps_per_execution(steps, callbacks=()):
    """Returns how many of the `steps` of an epoch run in one call of the training graph.

    They divide the epoch, because Keras reads on into the next epoch of repeated batches until the
    last call is full. A callback that looks at batches sees every one of them.
    """
    if any(_looks_at_batches(callback) for callback in callbacks):
        return 1
    return next(count for count in range(_STEPS_PER_EXECUTION, 0, -1) if steps % count == 0)


def _looks_at_batches(callback):
    # The first batch of an epoch is enough for a `ScoreCallback`
    if hasattr(callback, "records_scores_of"):
        return False
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    # A `LambdaCallback` has them on the instance
    return any(
        getattr(getattr(callback, hook), "__func__", None)
        is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )


def most_presentations(steps, steps_per_pass):
    """Returns the maximum number of times one example can appear in `steps` steps of an epoch.

    Each pass over the examples is reshuffled.
    """
    passes, rest = divmod(steps, steps_per_pass)
    # An epoch that does not end with a pass may read parts of two passes beside complete ones.
    return passes + 2 if rest else passes


def examples_in(steps, num_examples, batch_size):
    """Returns the number of examples in `steps` batches, with a ragged batch in each pass."""
    passes, rest = divmod(steps, math.ceil(num_examples / batch_size))
    return passes * num_examples + rest * batch_size
