"""Statistics of the batches that the training step reads, gathered inside its graph."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_WATCHED = "compute_loss"


class Statistics(NamedTuple):
    """Statistics of many batches.

    Args:
        mean, deviation: floats `(arrays,)`, mean and standard deviation of all values of each array
            of the inputs. For strings they are those of the lengths in bytes.
        accuracy: share of right predictions, `None` if unknown.
    """

    mean: np.ndarray
    deviation: np.ndarray
    accuracy: float | None


class FitStatistics:
    """Gathers `Statistics` of every batch that a model trains on.

    Args:
        model: compiled Keras model.
        inputs_of: function from the inputs of `model` to the inputs of the examples.
    """

    def __init__(self, model, inputs_of):
        self._model, self._inputs_of = model, inputs_of
        self._sums, self._counts = None, tf.Variable(np.zeros(2), dtype=tf.float64)

    def start(self):
        """Begins to watch the training step, which is traced anew."""
        _unwatch(self._model)
        replaced = vars(self._model).get(_WATCHED)
        compute_loss = self._model.compute_loss

        def watched(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            # Validation computes the loss too.
            if training:
                self._add(self._inputs_of(x), y, y_pred)
            return compute_loss(x, y, y_pred, sample_weight, training=training)

        watched.replaced = replaced
        # Not through Keras' `__setattr__`, which would track the function as a part of the model.
        object.__setattr__(self._model, _WATCHED, watched)
        self._model.make_train_function(force=True)

    def stop(self):
        """Leaves the training step as it was."""
        _unwatch(self._model)
        self._model.train_function = None

    def take(self):
        """Returns the `Statistics` since the last call, `None` without a batch."""
        if self._sums is None or not self._sums.numpy()[:, 0].all():
            return None
        sums, (known, right) = self._sums.numpy(), self._counts.numpy()
        self._sums.assign(tf.zeros_like(self._sums))
        self._counts.assign([0, 0])
        return Statistics(*_moments(sums), right / known if known else None)

    def _add(self, x, y, y_pred):
        sums = _sums(x)
        if self._sums is None:
            with tf.init_scope():
                self._sums = tf.Variable(np.zeros(sums.shape), dtype=tf.float64)
        self._sums.assign_add(sums)
        right = _right(y, y_pred)
        if right is not None:
            count = tf.cast(tf.size(right), tf.float64)
            right = tf.reduce_sum(tf.cast(right, tf.float64))
            self._counts.assign_add(tf.stack([count, right]))


def _unwatch(model):
    """Removes the watch of a `compute_loss`, also one that an interrupted `fit` has left.

    An attribute that the user has set on the model comes back.
    """
    watched = vars(model).get(_WATCHED)
    if not hasattr(watched, "replaced"):
        return
    if watched.replaced is None:
        vars(model).pop(_WATCHED)
    else:
        object.__setattr__(model, _WATCHED, watched.replaced)


def statistics_of(batches):
    """Returns the `Statistics` of inputs, without an accuracy.

    Args:
        batches: `tf.data.Dataset` of `(rows, x, y)`.
    """
    total = batches.map(lambda rows, x, y: _sums(x)).reduce(
        np.zeros((len(tf.nest.flatten(batches.element_spec[1])), 3)),
        lambda total, sums: total + sums,
    )
    return Statistics(*_moments(total.numpy()), None)


def _sums(x):
    """Returns the number, the sum and the sum of squares of the values, float64 `(arrays, 3)`."""
    rows = []
    for part in tf.nest.flatten(x):
        values = tf.strings.length(part) if part.dtype == tf.string else part
        values = tf.cast(values, tf.float64)
        count = tf.cast(tf.size(values), tf.float64)
        rows.append(tf.stack([count, tf.reduce_sum(values), tf.reduce_sum(values * values)]))
    return tf.stack(rows)


def _moments(sums):
    """Returns means and standard deviations `(arrays,)` of the results of `_sums`."""
    mean = sums[:, 1] / sums[:, 0]
    return mean, np.sqrt(np.maximum(sums[:, 2] / sums[:, 0] - mean**2, 0))


def _right(y, y_pred):
    """Returns whether each prediction is right, `None` if labels or outputs are of other kinds."""
    if not (tf.is_tensor(y) and tf.is_tensor(y_pred)) or y_pred.shape.rank != 2:
        return None
    classes = y_pred.shape[1]
    if classes in (None, 1) or y.shape.rank not in (1, 2):
        return None
    if y.shape.rank == 2:
        y = y[:, 0] if y.shape[1] == 1 else tf.argmax(y, axis=1)
    return tf.equal(tf.argmax(y_pred, axis=1), tf.cast(y, tf.int64))
