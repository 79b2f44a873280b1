"""Dynamic methods in `fit` runs of every kind."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def linear(examples, zeros=False, seed=0):
    keras.utils.set_random_seed(seed)
    start = "zeros" if zeros else "glorot_uniform"
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, kernel_initializer=start)]
    return keras.Sequential([keras.Input(examples.shape), *layers])


def fitted(pruning, model=None, rate=0.05, callbacks=(), batch_size=32, compiling=None, **options):
    """Fits a model with a method and returns it."""
    model = pruning.recording(model or linear(pruning.examples))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss, **(compiling or {}))
    options = {"epochs": pruning.fit_epochs, "verbose": 0, **options}
    batches = options.pop("x", None) or pruning.batches(batch_size)
    model.fit(batches, callbacks=[pruning, *callbacks], **options)
    return model


class Rows(keras.callbacks.Callback):
    """Remembers the rows whose losses have changed in each epoch."""

    def __init__(self, pruning):
        super().__init__()
        self.pruning, self.rows, self.before = pruning, [], None

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.pruning.losses.read().copy()

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(np.flatnonzero(self.pruning.losses.read() != self.before))


def chosen(pruning, epoch, losses):
    found = pruning.choose(epoch, losses, np.random.default_rng([pruning.seed, epoch]))
    return np.sort(found[0] if isinstance(found, tuple) else found)


@pytest.mark.parametrize("name", kp.dynamic.METHODS)
def test_an_epoch_trains_on_the_chosen_rows(examples, name):
    pruning = kp.dynamic.get(name, examples, 6, seed=2)
    rows = Rows(pruning)
    before = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: before.append(pruning.losses.read().copy())
    )
    model = fitted(pruning, callbacks=[rows, keep])
    for epoch in range(pruning.fit_epochs):
        np.testing.assert_array_equal(rows.rows[epoch], chosen(pruning, epoch, before[epoch]))
    kept = [len(part) for part in rows.rows]
    assert [log.kept for log in pruning.history] == kept
    assert pruning.examples_seen == sum(kept)
    assert pruning.saved == pytest.approx(1 - sum(kept) / (6 * len(examples)))
    steps = sum(-(-count // 32) for count in kept)
    assert pruning.steps == steps == int(model.optimizer.iterations)


def test_the_losses_are_those_of_the_training_step(examples):
    """With a learning rate of 0, they are the losses of the model before and after."""
    pruning = kp.dynamic.InfoBatch(examples, 3)
    model = fitted(pruning, rate=0.0)
    logits = model.predict(examples.batches(50), verbose=0)
    each = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(pruning.losses.read(), each(examples.labels, logits), rtol=1e-5)


def test_nothing_pruned_trains_as_a_plain_fit(examples):
    pruning = kp.dynamic.InfoBatch(examples, 1, r=0.9)
    plan = []
    reading = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda step, logs: step or plan.append(pruning._plan[0])
    )
    recorded = fitted(pruning, callbacks=[reading])
    plain = linear(examples)
    plain.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    plain.optimizer.learning_rate = 0.05
    (order,) = plan
    assert sorted(order) == list(range(130)) and list(order) != sorted(order)
    in_order = examples.at(order).batches(32)
    plain.fit(in_order, shuffle=False, verbose=0)
    for one, other in zip(recorded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_of_several_batches_in_one_execution(examples):
    kept = []
    for steps in (1, 3):
        pruning = kp.dynamic.InfoBatch(examples, 8)
        model = fitted(pruning, compiling={"steps_per_execution": steps})
        kept.append(([log.kept for log in pruning.history], model.get_weights()))
    assert kept[0][0] == kept[1][0] and len(set(kept[0][0])) > 2
    for one, other in zip(kept[0][1], kept[1][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_global_random_states_are_not_touched(examples):
    drawn = []
    for name in (None, "infobatch", "seta", "rs2", "orderdp"):
        model = linear(examples)
        keras.utils.set_random_seed(5)
        before = tf.random.get_global_generator().state.numpy()
        if name is not None:
            fitted(kp.dynamic.get(name, examples, 3), model)
        np.testing.assert_array_equal(tf.random.get_global_generator().state.numpy(), before)
        drawn.append((random.random(), np.random.random(), float(keras.random.uniform(()))))
    assert len(set(drawn)) == 1


def test_the_seed_fixes_everything(examples):
    weights = [fitted(kp.dynamic.InfoBatch(examples, 4, seed=s)).get_weights() for s in (1, 1, 2)]
    np.testing.assert_array_equal(weights[0][0], weights[1][0])
    assert (weights[0][0] != weights[2][0]).any()


def test_augmentation_is_another_in_each_epoch(examples):
    seen = []

    def augmentation(x, draw):
        tf.numpy_function(lambda value: seen.append(tuple(value)), [draw], [])
        return x + 0 * tf.cast(draw[0], x.dtype)

    pruning = kp.dynamic.InfoBatch(examples, 3)
    fitted(pruning, x=pruning.batches(50, augmentation=augmentation))
    first = seen[:]
    assert len(set(first)) == len(first) == pruning.steps
    seen.clear()
    pruning = kp.dynamic.InfoBatch(examples, 3)
    fitted(pruning, x=pruning.batches(50, augmentation=augmentation))
    assert seen == first


def test_batches_may_be_mapped(examples):
    pruning = kp.dynamic.InfoBatch(examples, 5)
    one_hot = pruning.batches(32).map(
        lambda x, y, weight: ({**x, "x": x["x"] * 2}, tf.one_hot(y, 10), weight)
    )
    model = pruning.recording(linear(examples))
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    model.fit(one_hot, epochs=5, callbacks=[pruning], class_weight={0: 2.0}, verbose=0)
    assert len(pruning.history) == 5 and pruning.saved > 0


def test_early_stopping_and_validation(examples):
    pruning = kp.dynamic.InfoBatch(examples, 30)
    stopping = keras.callbacks.EarlyStopping("val_loss", min_delta=10, patience=2)
    validation = examples.batches(50)
    rows = Rows(pruning)
    fitted(pruning, callbacks=[stopping, rows], validation_data=validation)
    assert len(pruning.history) == len(rows.rows) == 3
    assert 0 < pruning.saved < 0.5
    # Validation reads all examples, and only those of the epoch are recorded
    assert [len(part) for part in rows.rows] == [log.kept for log in pruning.history]


def test_the_rate_follows_the_share_of_the_run(examples):
    # It falls from 0.01 to 0 in the steps that the full run would have
    line = keras.optimizers.schedules.PolynomialDecay(0.01, 1000, 0.0)
    pruning, rates = kp.dynamic.InfoBatch(examples, 8, r=0.8), small.Rates()
    model = pruning.recording(linear(examples))
    optimizer = keras.optimizers.SGD(pruning.follow(line, 1000))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    model.fit(pruning.batches(16), epochs=8, callbacks=[pruning, rates], verbose=0)
    steps = [-(-log.kept // 16) for log in pruning.history]
    assert len(set(steps)) > 1
    expected = [
        0.01 * (1 - (epoch + step / count) / 8)
        for epoch, count in enumerate(steps)
        for step in range(count)
    ]
    np.testing.assert_allclose(rates.rates, expected, atol=6e-6)
    loaded = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(pruning.follow(line, 1000))
    )
    assert float(loaded(500)) == pytest.approx(0.005)


def test_saved_files_are_those_of_the_model_itself(examples, tmp_path):
    pruning = kp.dynamic.RS2(examples, 2)
    checkpoint = keras.callbacks.ModelCheckpoint(f"{tmp_path}/best.keras", monitor="loss")
    model = fitted(pruning, callbacks=[checkpoint])
    model.save(tmp_path / "model.keras")
    keras.saving.save_model(model, tmp_path / "saved.keras")
    for name in ("best", "model", "saved"):
        loaded = keras.saving.load_model(tmp_path / f"{name}.keras")
        assert type(loaded) is keras.Sequential
        np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_a_recorded_model_still_trains_on_anything(examples):
    pruning = kp.dynamic.RS2(examples, 2)
    model = fitted(pruning)
    losses = pruning.losses.read()
    x = examples.stored_inputs(np.arange(130))
    model.fit(x, examples.labels, class_weight={0: 2.0}, verbose=0)
    assert np.isfinite(model.evaluate(x, examples.labels, verbose=0))
    np.testing.assert_array_equal(pruning.losses.read(), losses)


def test_inputs_of_several_arrays():
    rng = np.random.default_rng(0)
    x = {"row": rng.random((40, 3)), "other": rng.random((40, 2))}
    examples = kp.Examples.from_arrays(x, np.arange(40) % 2)
    inputs = {name: keras.Input((value.shape[1],), name=name) for name, value in x.items()}
    output = keras.layers.Dense(2)(keras.layers.Concatenate()(list(inputs.values())))
    pruning = kp.dynamic.InfoBatch(examples, 4)
    fitted(pruning, keras.Model(inputs, output), batch_size=8)
    assert len(pruning.history) == 4
