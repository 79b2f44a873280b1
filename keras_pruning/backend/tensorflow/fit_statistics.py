"""Statistics of the batches that the training step reads, gathered inside its graph."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_pruning.models.heads import ending

_WATCHED = "compute_loss"


class Statistics(NamedTuple):
    """Statistics of many batches.

    Args:
        mean, deviation: floats `(arrays,)`, mean and standard deviation of all values of each array
            of the inputs. For strings they are those of the lengths in bytes.
            of the inputs. For strings they are those of the lengths in bytes. Empty if unknown.
        accuracy: share of right predictions, `None` if unknown.
        is_weighted: whether there were sample weights or class weights.
    """

    mean: np.ndarray
    deviation: np.ndarray
    accuracy: float | None
    is_weighted: bool = False


class FitStatistics:
    """Gathers `Statistics` of every batch that a model trains on.

    Args:
        model: compiled Keras model.
        inputs_of: function from the inputs of `model` to the inputs of the examples.
        arrays: number of arrays in the inputs of the examples.
    """

    def __init__(self, model, inputs_of, arrays):
        self._model, self._inputs_of, self._is_weighted = model, inputs_of, False
        # From which on a single output predicts class 1, known if the graph shows its activation
        activation = ending(getattr(model, "recorded", model))
        self._threshold = {"sigmoid": 0.5, "linear": 0.0}.get(activation)
        with model.distribute_strategy.scope():
            self._sums, self._counts = _sum_over_replicas((arrays, 3)), _sum_over_replicas((2,))

    def start(self):
        """Begins to watch the training step, which is traced anew."""
        _unwatch(self._model)
        replaced = vars(self._model).get(_WATCHED)
        compute_loss = self._model.compute_loss

        def watched(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            # Validation computes the loss too.
            if training:
                self._is_weighted |= sample_weight is not None
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
        sums, (known, right) = self._sums.numpy(), self._counts.numpy()
        if not sums[:, 0].all():
            sums = sums[:0]
        if not (len(sums) or known):
            return None
        self._sums.assign(tf.zeros(self._sums.shape, tf.float64))
        self._counts.assign(tf.zeros(2, tf.float64))
        return Statistics(*_moments(sums), right / known if known else None, self._is_weighted)

    def _add(self, x, y, y_pred):
        # Another number of arrays than that of the examples cannot be compared.
        if len(tf.nest.flatten(x)) == self._sums.shape[0]:
            self._sums.assign_add(_sums(x))
        right = _right(y, y_pred, self._threshold)
        if right is not None:
            count = tf.cast(tf.size(right), tf.float64)
            right = tf.reduce_sum(tf.cast(right, tf.float64))
            self._counts.assign_add(tf.stack([count, right]))


def _sum_over_replicas(shape):
    """Returns a float64 variable of zeros that each replica adds to, and that reads as the sum."""
    return tf.Variable(
        np.zeros(shape),
        dtype=tf.float64,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


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


def _right(y, y_pred, threshold):
    """Returns whether each prediction is right, `None` if labels or outputs are of other kinds."""
    if not (tf.is_tensor(y) and tf.is_tensor(y_pred)) or y_pred.shape.rank != 2:
        return None
    classes = y_pred.shape[1]
    if classes is None or y.shape.rank not in (1, 2):
        return None
    if classes == 1:
        if threshold is None or (y.shape.rank == 2 and y.shape[1] != 1):
            return None
        # Smoothed labels are near 0 and 1.
        is_one = tf.cast(tf.reshape(y, [-1]), tf.float32) > 0.5
        return tf.equal(y_pred[:, 0] > tf.cast(threshold, y_pred.dtype), is_one)
    if y.shape.rank == 2:
        y = y[:, 0] if y.shape[1] == 1 else tf.argmax(y, axis=1)
    return tf.equal(tf.argmax(y_pred, axis=1), tf.cast(y, tf.int64))
