"""Records the outputs of the training step itself, at the cost of writing them down."""

import contextlib

import keras

from keras_pruning.errors import InputError
from keras_pruning.models.outputs import Outputs


class RecordingModel(keras.Model):
    """A model over the layers of another model that writes down its outputs in training.

    It trains like the other model, bit for bit. Its training batches are those of
    `examples.batches(..., rows=True)`, dictionaries of `x` and `row`. Everywhere else it takes
    plain inputs. `save` saves the other model.

    Args:
        model: Keras model that ends in logits.
        store: `PresentationStore` for the outputs of each training step.

    Raises:
        InputError: in `fit`, if a batch has no rows or its labels are not integers.
    """

    def __init__(self, model, store):
        super().__init__(name=f"{model.name}_recorded", dtype=model.dtype_policy)
        self.recorded, self.store = model, store
        # `BackupAndRestore` refuses models that are not built before `fit`.
        self.built = model.built

    def call(self, inputs, training=None):
        has_rows = isinstance(inputs, dict) and "row" in inputs
        return self.recorded(inputs["x"] if has_rows else inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # Validation computes the loss too, but only training steps are recorded.
        if training:
            if not (isinstance(x, dict) and "row" in x) or len(y.shape) != 1:
                raise InputError(
                    "The training step cannot be recorded. Expected batches of "
                    "examples.batches(..., rows=True), with integer labels. Received: inputs "
                    f"{type(x).__name__} and labels of shape {tuple(y.shape)}"
                )
            self.store.write(x["row"], Outputs(y_pred, y))
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)

    # `ModelCheckpoint` and the like save and load the model itself.

    def save(self, *arguments, **options):
        return self.recorded.save(*arguments, **options)

    def save_weights(self, *arguments, **options):
        with self._lent_optimizer():
            return self.recorded.save_weights(*arguments, **options)

    def load_weights(self, *arguments, **options):
        with self._lent_optimizer():
            return self.recorded.load_weights(*arguments, **options)

    @contextlib.contextmanager
    def _lent_optimizer(self):
        """Gives the other model this optimizer, whose state belongs to a file of weights.

        Without it `BackupAndRestore` would resume with a new optimizer.
        """
        optimizer = getattr(self.recorded, "optimizer", None)
        self.recorded.optimizer = getattr(self, "optimizer", None)
        try:
            yield
        finally:
            self.recorded.optimizer = optimizer
