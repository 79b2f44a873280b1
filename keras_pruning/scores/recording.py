"""Scores out of the training step itself, at the cost of writing down what it has computed."""

import keras

from keras_pruning.scores.outputs import Outputs


class RecordingModel(keras.Model):
    """A model over the layers of another one, which writes down what it says in training.

    It trains as the other model does, bit for bit. Its inputs are batches of
    `examples.batches(..., rows=True)`: a dictionary of `x` and `row`.

    Args:
        model: Keras model that ends in logits.
        store: `PresentationStore`; what each training step says about its examples goes there.
    """

    def __init__(self, model, store):
        super().__init__(name=f"{model.name}_recorded")
        self.recorded, self.store = model, store

    def call(self, inputs, training=None):
        return self.recorded(inputs["x"], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training:
            self.store.write(x["row"], Outputs(y_pred, y))
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)
