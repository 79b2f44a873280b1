"""The loss of a batch, found in training steps of every kind."""

import keras
import numpy as np
import pytest
from support import own_steps, small
from support.own_steps import (
    AsksKeras,
    AsksKerasTwice,
    ByExample,
    OtherName,
    OwnMean,
    OwnStep,
    Resets,
    Tracked,
    WithoutWeights,
    WithoutWeightsTracked,
    own_loss,
    penalized,
    plain,
)

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


class Plans(keras.callbacks.Callback):
    """Remembers the rows and weights of each epoch, and the losses after it."""

    def __init__(self, pruning):
        super().__init__()
        self.pruning, self.plans, self.losses = pruning, [], []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.plans.append(self.pruning._plan[:2])

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(self.pruning.losses.read().copy())


def cross_entropy(reduction="sum_over_batch_size"):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)


def fitted(pruning, model, callbacks=(), **options):
    """Fits with a learning rate of 0, so that losses stay as they are."""
    keras.utils.set_random_seed(0)
    model = pruning.recording(model)
    model.compile(keras.optimizers.SGD(0.0), **{"loss": cross_entropy(), **options})
    model.fit(pruning.batches(32), epochs=4, callbacks=[pruning, *callbacks], verbose=0)
    return model


def by_hand(plans, losses, is_weighted):
    """Yields the running losses after each epoch."""
    running = np.full(len(losses), np.inf)
    for rows, weights in plans:
        for start in range(0, len(rows), 32):
            batch = rows[start : start + 32]
            weight = weights[start : start + 32] if is_weighted else np.ones(len(batch))
            mean = np.average(losses[batch], weights=weight)
            earlier = running[batch]
            running[batch] = np.where(np.isinf(earlier), mean, 0.7 * earlier + 0.3 * mean)
        yield running.copy()


def cross_entropies(model, examples):
    return cross_entropy(None)(
        examples.labels, model.predict(examples.batches(50), verbose=0)
    ).numpy()


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize(
    "make, is_weighted",
    [
        (plain, False),
        (penalized, False),
        (AsksKeras, False),
        (WithoutWeights, False),
        (WithoutWeightsTracked, False),
        (own_loss, True),
        (OwnStep, True),
        (OwnMean, True),
        (Tracked, True),
        (OtherName, True),
        (Resets, True),
        (ByExample, True),
        (AsksKerasTwice, True),
    ],
)
def test_the_running_losses_by_hand(examples, make, is_weighted, eagerly):
    """A step that weighs its loss itself has a weighted mean, all others a plain one."""
    pruning = kp.dynamic.InfoBatch(examples, 4, r=0.8, delta=1, loss="batch")
    plans = Plans(pruning)
    model = fitted(pruning, make(), [plans], run_eagerly=eagerly)
    assert {len(set(weights)) for _, weights in plans.plans} == {1, 2}
    expected = by_hand(plans.plans, cross_entropies(model, examples), is_weighted)
    for recorded, running in zip(plans.losses, expected, strict=True):
        np.testing.assert_allclose(recorded, running, rtol=1e-4)


class LongEpoch(keras.callbacks.Callback):
    """Puts the sums of ten million examples of loss 1 into the tracked mean, before each batch."""

    def on_train_batch_begin(self, batch, logs=None):
        for part in (self.model.tracker.total, self.model.tracker.count):
            part.assign(1e7)


@pytest.mark.parametrize("make", [Tracked, ByExample])
def test_a_late_batch_of_a_long_epoch_keeps_its_digits(examples, make):
    pruning = kp.dynamic.InfoBatch(examples, 4, r=0.8, delta=1, loss="batch")
    plans = Plans(pruning)
    model = fitted(pruning, make(), [plans, LongEpoch()])
    *_, expected = by_hand(plans.plans, cross_entropies(model, examples), True)
    np.testing.assert_allclose(plans.losses[-1], expected, rtol=1e-4)


@pytest.mark.parametrize("make", [plain, AsksKeras, Tracked, own_loss])
def test_recording_a_batch_changes_no_weight(examples, make):
    weights, order = [], None
    for is_recorded in (True, False):
        keras.utils.set_random_seed(0)
        pruning = kp.dynamic.RS2(examples, 1, f=1.0, loss="batch")
        plans, model = Plans(pruning), make()
        model = pruning.recording(model) if is_recorded else model
        model.compile(keras.optimizers.SGD(0.05), cross_entropy())
        if is_recorded:
            model.fit(pruning.batches(32), callbacks=[pruning, plans], verbose=0)
            order = plans.plans[0][0]
        else:
            batches = examples.at(order).batches(32)
            batches = batches.map(lambda x, y: (x, y, keras.ops.ones_like(y, "float32")))
            model.fit(batches, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("loss", [cross_entropy("sum"), cross_entropy(None), own_steps.a_number])
def test_other_reductions_are_recorded_as_means(examples, loss):
    pruning = kp.dynamic.InfoBatch(examples, 4, r=0.8, delta=1, loss="batch")
    plans, reduction = Plans(pruning), getattr(loss, "reduction", None)
    model = fitted(pruning, plain(), [plans], loss=loss)
    assert getattr(loss, "reduction", None) == reduction
    *_, expected = by_hand(plans.plans, cross_entropies(model, examples), False)
    np.testing.assert_allclose(plans.losses[-1], expected, rtol=1e-4)


def two_outputs(examples):
    inputs = keras.Input(examples.shape)
    flat = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, [keras.layers.Dense(10, name=name)(flat) for name in "ab"])


def test_the_metrics_of_several_outputs_stay_as_they_are(examples):
    """They are those of a fit that records nothing."""
    loss = cross_entropy()
    x, y = examples.stored_inputs(np.arange(130)), examples.labels
    histories = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = two_outputs(examples)
        pruning = kp.dynamic.RS2(examples, 1, f=1.0, loss="batch")
        model = pruning.recording(model)
        model.compile(keras.optimizers.SGD(0.0), [loss, loss], loss_weights=[1.0, 3.0])
        if histories:
            fit = model.fit(x, [y, y], batch_size=130, verbose=0)
        else:
            batches = pruning.batches(130).map(lambda x, y, weight: (x, (y, y), weight))
            fit = model.fit(batches, callbacks=[pruning], verbose=0)
            first = pruning.losses.read()
        histories.append({name: value[0] for name, value in fit.history.items()})
    assert histories[0] == pytest.approx(histories[1], rel=1e-4) and len(histories[0]) == 3
    assert np.mean(first) == pytest.approx(histories[0]["loss"], rel=1e-4)
    outputs = [value for name, value in histories[0].items() if name != "loss"]
    assert histories[0]["loss"] == pytest.approx(outputs[0] + 3 * outputs[1], rel=1e-3)


@pytest.mark.parametrize(
    "make, message",
    [
        ("ReportsNothing", r"reports no loss. Expected.*'loss'. Received: \['accuracy'\]"),
        ("ReportsUnused", r"not known.*metrics \['loss'\], not updated"),
        ("ReportsSeveral", r"not known.*metrics \['loss', 'other'\]"),
        ("ReportsSum", r"not known.*metrics \['summed'\].*Return the loss tensor"),
    ],
)
def test_steps_that_do_not_report_their_loss(examples, make, message):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
    with pytest.raises(InputError, match=message):
        fitted(pruning, getattr(own_steps, make)())


def test_a_step_that_reports_a_python_number(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
    with pytest.raises(InputError, match="a float, which is not a tensor"):
        fitted(pruning, own_steps.ReportsNumber(), run_eagerly=True)


@pytest.mark.parametrize("loss", ["example", "batch"])
def test_a_model_without_a_loss(examples, loss):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss=loss)
    with pytest.raises(InputError, match="model has no loss. Expected one in `compile`"):
        fitted(pruning, plain(), loss=None)


def test_a_loss_that_layers_add(examples):
    class Adds(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.ops.mean(inputs**2))
            return inputs

    pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    fitted(pruning, keras.Sequential([keras.layers.Flatten(), dense, Adds()]), loss=None)
    sums = examples.stored_inputs(np.arange(130)).reshape(130, -1).sum(axis=1)
    assert pruning.losses.read().mean() == pytest.approx(np.mean(sums**2), rel=0.05)


@pytest.mark.slow
def test_a_step_that_xla_compiles(examples):
    kept = []
    for jit in (False, True):
        pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
        fitted(pruning, Tracked(), jit_compile=jit)
        kept.append([log.kept for log in pruning.history])
    assert kept[0] == kept[1] and len(set(kept[0])) > 1
