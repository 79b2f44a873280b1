"""Scores out of the training step itself, at the cost of writing down what it has computed."""

import keras

from keras_pruning.errors import InputError
from keras_pruning.models.outputs import Outputs


class RecordingModel(keras.Model):
    """A model over the layers of another one, which writes down what it says in training.

    It trains as the other model does, bit for bit. It trains on batches of
    `examples.batches(..., rows=True)`, dictionaries of `x` and `row`, and takes plain inputs
    elsewhere. What it saves is the other model.

    Args:
        model: Keras model that ends in logits.
        store: `PresentationStore`; what each training step says about its examples goes there.
    """

    def __init__(self, model, store):
        super().__init__(name=f"{model.name}_recorded", dtype=model.dtype_policy)
        self.recorded, self.store = model, store

    def call(self, inputs, training=None):
        has_rows = isinstance(inputs, dict) and "row" in inputs
        return self.recorded(inputs["x"] if has_rows else inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training:
            if not (isinstance(x, dict) and "row" in x) or len(y.shape) != 1:
                raise InputError(
                    "The training step cannot be recorded. Expected batches of "
                    "examples.batches(..., rows=True), with integer labels. Received: inputs "
                    f"{type(x).__name__} and labels of shape {tuple(y.shape)}"
                )
            self.store.write(x["row"], Outputs(y_pred, y))
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)

    # What is saved and loaded, by `ModelCheckpoint` too, is the model itself.

    def save(self, *arguments, **options):
        return self.recorded.save(*arguments, **options)

    def save_weights(self, *arguments, **options):
        return self.recorded.save_weights(*arguments, **options)

    def load_weights(self, *arguments, **options):
        return self.recorded.load_weights(*arguments, **options)
