"""Models whose training step or loss is their own."""

import keras
import tensorflow as tf
from keras import ops


class OwnStep(keras.Model):
    """A model whose step calls nothing of Keras and returns the loss of the batch."""

    def __init__(self):
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(10)

    def call(self, inputs):
        return self.dense(self.flatten(inputs))

    def loss_of(self, x, y, weight):
        """Returns the loss to lower, and that of each example."""
        each = keras.losses.sparse_categorical_crossentropy(y, self(x), from_logits=True)
        return ops.mean(weight * each), each

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss, each = self.loss_of(x, y, weight)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return self.logs(loss, each, weight)

    def logs(self, loss, each, weight):
        return {"loss": loss}


class WithoutWeights(OwnStep):
    """A step that drops the weights."""

    def loss_of(self, x, y, weight):
        return super().loss_of(x, y, ops.ones_like(weight))


class OwnMean(OwnStep):
    """A step that keeps a running mean of the loss, which is its only metric."""

    def __init__(self):
        super().__init__()
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def logs(self, loss, each, weight):
        self.tracker.update_state(loss, sample_weight=ops.shape(weight)[0])
        return {"loss": self.tracker.result()}


class Tracked(OwnStep):
    """A step that keeps a running mean beside the metrics of Keras."""

    tracker_name = "loss"

    def __init__(self):
        super().__init__()
        self.tracker = keras.metrics.Mean(name=self.tracker_name)
        self.other = keras.metrics.Mean(name="other")

    def logs(self, loss, each, weight):
        self.other.update_state(7.0)
        return {"loss": self.tracker(loss), "other": self.other.result()}


class OtherName(Tracked):
    tracker_name = "total"


class WithoutWeightsTracked(WithoutWeights, Tracked):
    """A step that drops the weights, with a running mean."""


class Resets(Tracked):
    """A running mean that never runs."""

    def logs(self, loss, each, weight):
        self.tracker.update_state(100 * loss)
        self.tracker.reset_state()
        return super().logs(loss, each, weight)


class ByExample(Tracked):
    """A running mean of the examples, which are weighted."""

    def logs(self, loss, each, weight):
        self.tracker.update_state(each, sample_weight=weight)
        return {"loss": self.tracker.result()}


class AsksKeras(OwnStep):
    """A step that takes the loss that Keras computes."""

    def loss_of(self, x, y, weight):
        return self.compute_loss(x, y, self(x), weight), None


class AsksKerasTwice(Tracked):
    """The same, with a third of the loss and two thirds."""

    def loss_of(self, x, y, weight):
        y_pred = self(x)
        parts = [self.compute_loss(x, y, k * y_pred, weight) for k in (1.0, 2.0, 1.0)]
        return parts[0] / 3 + 0.0 * parts[1] + 2 / 3 * parts[2], None


class ReportsNothing(OwnStep):
    def logs(self, loss, each, weight):
        return {"accuracy": ops.mean(each)}


class ReportsUnused(Tracked):
    """A step that returns every metric by its name, but updates one of another name than loss."""

    def logs(self, loss, each, weight):
        self.other.update_state(loss)
        return {"loss": self.tracker.result(), "other": self.other.result()}


class ReportsSeveral(Tracked):
    def logs(self, loss, each, weight):
        return {"loss": self.tracker(loss) + self.other(loss)}


class ReportsSum(OwnStep):
    """A running sum, from which no mean can be taken."""

    def __init__(self):
        super().__init__()
        self.summed = keras.metrics.Sum(name="summed")

    def logs(self, loss, each, weight):
        return {"loss": self.summed(loss)}


class ReportsNumber(OwnStep):
    """A number of Python, when it runs eagerly."""

    def logs(self, loss, each, weight):
        return {"loss": float(loss)}


class OwnLoss(keras.Sequential):
    """A model whose loss is a number for the whole batch."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        losses = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
        return ops.mean(losses * sample_weight)


def own_loss():
    return OwnLoss([keras.layers.Flatten(), keras.layers.Dense(10)])


def a_number(y, y_pred):
    """A loss that is one number for the whole batch."""
    losses = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
    return ops.mean(losses)


def plain():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])


def penalized():
    """A model of Keras with a penalty on its weights."""
    dense = keras.layers.Dense(10, kernel_regularizer=keras.regularizers.L2(0.1))
    return keras.Sequential([keras.layers.Flatten(), dense])
