"""Records the outputs of the training step itself, at the cost of writing them down."""

import contextlib

import keras
from keras import ops

from keras_pruning.errors import InputError
from keras_pruning.models.heads import with_logits
from keras_pruning.models.outputs import Outputs


class RecordingModel(keras.Model):
    """A model over the layers of another model that writes down its outputs in training.

    It trains like the other model, bit for bit. Its training batches are those of
    `examples.batches(..., rows=True)`, dictionaries of `x` and `row`. Everywhere else it takes
    plain inputs. `save` saves the other model.

    The outputs that are written down are logits. If the model ends in a softmax or a sigmoid, they
    are those before it. Labels may be numbers `(batch,)` or `(batch, 1)`, or one-hot `(batch,
    classes)`, smoothed or not. Sample weights change the loss and nothing that is written down.

    Args:
        model: Keras model of one output.
        store: `PresentationStore` for the outputs of each training step.
        spec: `ArraySpec` of the examples or a structure of them.

    Raises:
        InputError: in `fit`, if a batch has no rows or its labels have another shape.
    """

    def __init__(self, model, store, spec):
        super().__init__(name=f"{model.name}_recorded", dtype=model.dtype_policy)
        self.recorded, self.store = model, store
        # In a tuple, so that Keras tracks the weights of the model only once.
        self._with_logits = (with_logits(model, spec),)
        # `BackupAndRestore` refuses models that are not built before `fit`.
        self.built = model.built

    def call(self, inputs, training=None):
        has_rows = isinstance(inputs, dict) and "row" in inputs
        x = inputs["x"] if has_rows else inputs
        (both,) = self._with_logits
        if both is None or not training:
            return self.recorded(x, training=training)
        y_pred, logits = both(x, training=training)
        # For `compute_loss` of the same step, and not through Keras, which would track it.
        object.__setattr__(self, "_logits", logits)
        return y_pred

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # Validation computes the loss too, but only training steps are recorded.
        if training:
            logits = y_pred if self._with_logits[0] is None else self._logits
            labels = _label_numbers(y, logits.shape[-1])
            if not (isinstance(x, dict) and "row" in x) or labels is None:
                raise InputError(
                    "The training step cannot be recorded. Expected batches of "
                    "examples.batches(..., rows=True), with labels of shape (batch,), (batch, 1) "
                    f"or (batch, classes). Received: inputs {type(x).__name__} and labels of shape "
                    f"{tuple(getattr(y, 'shape', ()))}"
                )
            self.store.write(x["row"], Outputs(logits, labels))
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


def _label_numbers(y, num_classes):
    """Returns the numbers of the classes, int64 `(batch,)`, `None` if labels have another shape.

    Args:
        y: labels as the loss takes them.
        num_classes: number of classes.
    """
    shape = tuple(getattr(y, "shape", ()))
    if len(shape) == 2 and shape[1] == num_classes:
        return ops.cast(ops.argmax(y, axis=1), "int64")
    if len(shape) == 2 and shape[1] == 1:
        y, shape = y[:, 0], shape[:1]
    if len(shape) != 1:
        return None
    # Smoothed labels of one sigmoid are near 0 and 1.
    is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(y.dtype))
    return ops.cast(ops.round(y) if is_float else y, "int64")
