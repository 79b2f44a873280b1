"""Lets the training step of a model write down the losses of the rows that it trains on.

This recorder is not that of scores (`training.recording`): that one takes logits and integer labels
of a classifier, this one any loss, weights of examples and steps of a model's own.
"""

import contextlib
import functools
import inspect

import keras
from keras import ops

from keras_pruning.backend.tensorflow.loss_store import LossStore
from keras_pruning.backend.tensorflow.row_store import require_one_device
from keras_pruning.errors import InputError
from keras_pruning.training.batch_losses import StepLoss, averaged
from keras_pruning.training.example_losses import (
    checked_class_weights,
    example_losses,
    weights_of_classes,
)
from keras_pruning.training.fit_arguments import FitArguments

EXAMPLE, BATCH = "example", "batch"
KINDS = (EXAMPLE, BATCH)


def record(model, num_rows, kind):
    """Lets the training step of a model write down its losses by row.

    The model gets a class derived from its own, whose step takes batches of `({"x", "row"}, y,
    weight)`. Batches of any other form train as before. Nothing else changes: files that are saved
    are those of the class itself.

    Args:
        model: Keras model.
        num_rows: number of rows.
        kind: `"example"` or `"batch"`, as for `DynamicPruning`.

    Returns:
        The `LossStore` that the step writes to.

    Raises:
        InputError: if the losses cannot be recorded.
    """
    if not isinstance(model, keras.Model):
        raise InputError(
            f"Invalid `model`. Expected a Keras model. Received: {type(model).__name__}"
        )
    require_one_device(model)
    plain = _plain_class(model)
    if kind == EXAMPLE:
        _require_losses_of_examples(model, plain)
    store = LossStore(num_rows)
    _set(model, "__class__", _recording_class(plain, kind))
    # Hidden from Keras, which would track them as parts of the model
    _set(model, "_row_losses", store)
    _set(model, "_rows", None)
    return store


def require_recorded(model, store):
    """Raises an `InputError` unless the step of a model writes to a store.

    Args:
        model: the model of a fit.
        store: the store of the callback of this fit, or `None`.
    """
    if store is None or vars(model).get("_row_losses") is not store:
        raise InputError(
            "The model does not record its losses. Expected the model that `recording` of this "
            "very callback prepared. Call `recording(model)` before `fit`."
        )
    for loss in keras.tree.flatten(getattr(model, "loss", None)):
        if getattr(loss, "reduction", None) == "mean_with_sample_weight":
            raise InputError(
                "Invalid reduction of the loss. Expected 'sum_over_batch_size', which divides by "
                "the number of examples, so that weights keep gradients unbiased. Received: "
                "'mean_with_sample_weight'"
            )


def set_steps(model, steps):
    """Tells a running fit of a recorded model how many steps its next epoch has.

    Keras finds out in the first epoch that a dataset of unknown length has, and then takes all
    others to be as long: it would cut off longer ones.
    """
    epochs = vars(model).get("_epochs")
    if epochs is not None:
        epochs._num_batches = steps
    _set(model, "_epoch_steps", steps)


class _Recording:
    """The parts of `fit` that both kinds of recording share, in front of the class of a model."""

    # A clone of the model is of this class, and records nothing.
    _rows = _row_losses = None

    def fit(self, *arguments, **options):
        given = FitArguments(super().fit, arguments, options)
        weights = None
        if _has_rows(given.get("x")):
            callbacks = _listed(given.get("callbacks"))
            self._require_callback(callbacks)
            # Keras refuses them beside the weights of a batch, so that the step multiplies both.
            weights = checked_class_weights(given.get("class_weight"))
            if given.get("class_weight") is not None:
                given.set("class_weight", None)
            # Keras would warn that it does not shuffle a dataset, which is shuffled already.
            given.set("shuffle", False)
            if given.get("verbose", "auto") != 0:
                given.set("callbacks", [*callbacks, _Bar()])
        _set(self, "_class_weights", weights)
        _set(self, "_awaits_epochs", True)
        # The step is traced with these weights.
        self.train_function = None
        try:
            return super().fit(*given.arguments, **given.options)
        finally:
            _set(self, "_epochs", None)

    def _resolve_auto_jit_compile(self):
        # The last batch has another size in every epoch, for which XLA would compile the step anew.
        return False

    def _require_callback(self, callbacks):
        """Raises an `InputError` unless the method that chooses the rows is a callback."""
        stores = [getattr(callback, "losses", None) for callback in callbacks]
        if self._row_losses is None or not any(store is self._row_losses for store in stores):
            raise InputError(
                "The batches of a dynamic method need it as a callback. Expected "
                "`model.fit(pruning.batches(...), callbacks=[pruning])`, with the `pruning` whose "
                f"`recording` prepared the model. Received: callbacks={callbacks}"
            )

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # The first one of a fit is that of the training batches.
        if vars(self).get("_awaits_epochs"):
            _set(self, "_epochs", iterator)
            _set(self, "_awaits_epochs", False)
        return super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        if not (isinstance(x, dict) and "row" in x):
            return super().train_step(data)
        if weight is None:
            raise InputError(
                "A batch of the dynamic method has no weights. Expected `map` to return all three "
                "parts of a batch, (inputs, y, weight). Received: (inputs, y). Without the weights "
                "the method trains on a biased choice."
            )
        by_class = vars(self).get("_class_weights")
        if by_class is not None:
            weight = weight * weights_of_classes(by_class, y)
        _set(self, "_rows", x["row"])
        try:
            return self._recorded_step((x["x"], y, weight))
        finally:
            _set(self, "_rows", None)

    def save(self, *arguments, **options):
        recording = type(self)
        _set(self, "__class__", _plain_class(self))
        try:
            return self.save(*arguments, **options)
        finally:
            _set(self, "__class__", recording)


class _ExampleLosses(_Recording):
    """Records the loss of each example, as the compiled loss gives it before it is averaged."""

    def _recorded_step(self, data):
        return super(_Recording, self).train_step(data)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self._rows is not None and training:
            _require_loss(self)
            self._row_losses.write(self._rows, example_losses(self.loss, y, y_pred))
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)


class _BatchLosses(_Recording):
    """Records the loss of the batch, whatever the step of the model does."""

    def _recorded_step(self, data):
        _set(self, "_computed", [])
        is_own = any(_own(type(self)._plain, name) for name in ("train_step", "compute_loss"))
        with StepLoss(self, data[2]) if is_own else contextlib.nullcontext() as step:
            logs = super(_Recording, self).train_step(data)
        computed = self._computed
        # Tensors of a graph would keep it alive.
        _set(self, "_computed", None)
        if step is None:
            (loss,) = computed
        elif len(computed) == 1:
            loss = step.unweighted(computed[0])
        else:
            # A step that asks Keras for no loss, or for parts of it, reports the whole.
            loss = step.reported(logs)
        self._row_losses.blend(self._rows, ops.cast(loss, "float32"))
        return logs

    def compute_loss(self, *arguments, **options):
        compute = super().compute_loss
        if self._rows is None:
            return compute(*arguments, **options)
        is_own = _own(type(self)._plain, "compute_loss")
        if not is_own and not self.losses:
            _require_loss(self)
        loss = mean = compute(*arguments, **options)
        if not is_own and self._compile_loss is not None:
            given = inspect.signature(compute).bind(*arguments, **options).arguments
            mean = self._mean_loss()(given.get("y"), given.get("y_pred"))
        self._computed.append(mean)
        return loss

    def _mean_loss(self):
        """Returns the compiled loss without weights and penalties, the same in each trace."""
        compiled, mean = vars(self).get("_averaged", (None, None))
        if compiled is not self._compile_loss:
            mean = averaged(self._compile_loss)
            _set(self, "_averaged", (self._compile_loss, mean))
        return mean


class _Bar(keras.callbacks.ProgbarLogger):
    """The progress bar of Keras, which takes all epochs to be as long as the first."""

    def on_epoch_begin(self, epoch, logs=None):
        self.target = vars(self.model).get("_epoch_steps", self.target)
        super().on_epoch_begin(epoch, logs)


def _listed(callbacks):
    """Returns the callbacks of a fit as a list."""
    return keras.tree.flatten(getattr(callbacks, "callbacks", callbacks) or [])


def _set(model, name, value):
    """Sets an attribute that Keras does not see."""
    object.__setattr__(model, name, value)


def _plain_class(model):
    """Returns the class of a model without recording."""
    return getattr(type(model), "_plain", type(model))


@functools.cache
def _recording_class(plain, kind):
    """Returns a class of the same name whose step records the losses."""
    parts = {"_plain": plain, "__module__": plain.__module__, "__doc__": plain.__doc__}
    return type(plain.__name__, (_KINDS[kind], plain), parts)


def _has_rows(batches):
    """Returns whether batches are those of `DynamicPruning.batches`, mapped or not."""
    spec = getattr(batches, "element_spec", None)
    return isinstance(spec, tuple) and isinstance(spec[0], dict) and "row" in spec[0]


def _own(plain, name):
    """Returns whether a class has a method of its own in the place of that of Keras."""
    return getattr(plain, name) is not getattr(keras.Model, name)


def _require_loss(model):
    """Raises an `InputError` unless a model is compiled with a loss."""
    if model._compile_loss is None:
        raise InputError(
            "The model has no loss. Expected one in `compile`. Received: loss=None. Compile it "
            "with a loss, for example model.compile('adam', 'sparse_categorical_crossentropy')."
        )


def _require_losses_of_examples(model, plain):
    """Raises an `InputError` unless the step of Keras computes one loss for each example."""
    own = [name for name in ("train_step", "compute_loss") if _own(plain, name)]
    outputs = len(keras.tree.flatten(getattr(model, "outputs", None) or [None]))
    if own or outputs > 1:
        received = f"{' and '.join(own)} of its own" if own else f"{outputs} outputs"
        raise InputError(
            "The losses of the examples cannot be recorded. Expected Keras' own train_step and "
            f"compute_loss, and one output. Received: {plain.__name__} with {received}. "
            "Choose loss='batch', which records the mean loss of the batch instead."
        )


_KINDS = {EXAMPLE: _ExampleLosses, BATCH: _BatchLosses}
