"""Steps by hand: the weights of examples, narrow numbers and mixed precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning.backend.tensorflow.loss_store import LossStore
from keras_pruning.examples import batches

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def linear(examples, zeros=False):
    keras.utils.set_random_seed(0)
    start = "zeros" if zeros else "glorot_uniform"
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, kernel_initializer=start)]
    return keras.Sequential([keras.Input(examples.shape), *layers])


def flat_inputs(examples):
    """Returns the inputs as the model gets them, `(examples, 64)`."""
    x = examples.stored_inputs(np.arange(130)).reshape(130, -1)
    return x * (examples.stored.scale or 1)


def test_weights_of_examples_and_classes_multiply(examples):
    """One step of a linear softmax model from zeros, by hand."""
    rng = np.random.default_rng(0)
    own = rng.random(130).astype("float32")
    by_class = {3: 0.5, 7: 2.0}
    pruning = kp.dynamic.InfoBatch(examples, 2, r=0.5, delta=1)
    model = pruning.recording(linear(examples, zeros=True))
    model.compile(keras.optimizers.SGD(1.0), LOSS)
    read = pruning.batches(200, sample_weight=own)
    model.fit(read, epochs=1, class_weight=by_class, callbacks=[pruning], verbose=0)
    weights = own * np.array([by_class.get(label, 1.0) for label in examples.labels])
    x = flat_inputs(examples)
    step = (0.1 - np.eye(10)[examples.labels]) * weights[:, None] / 130
    np.testing.assert_allclose(model.get_weights()[0], -x.T @ step, atol=1e-6)


def test_an_unbiased_gradient(examples):
    """The mean over draws of the gradient, summed over the epoch, is that of all examples."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 5)), rng.normal(size=400)
    theta = rng.normal(size=5)
    losses = ((x @ theta - y) ** 2 / 2).astype(np.float32)
    gradients = x * (x @ theta - y)[:, None]
    pruning = kp.dynamic.InfoBatch(small.random_images(400), 10, r=0.5)
    total, draws = np.zeros(5), 20_000
    for seed in range(draws):
        rows, weights = pruning.choose(1, losses, np.random.default_rng(seed))
        total += weights @ gradients[rows]
    full = gradients.sum(axis=0)
    np.testing.assert_allclose(total / draws, full, atol=1e-3 * np.linalg.norm(full))


def test_a_step_of_a_pruned_epoch_by_hand(examples):
    """The second epoch is one step: easy examples that stayed count four times."""
    pruning = kp.dynamic.InfoBatch(examples, 2, r=0.75, delta=1)
    before = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: before.append(
            (model.get_weights(), pruning.losses.read().copy())
        )
    )
    model = pruning.recording(linear(examples))
    model.compile(keras.optimizers.SGD(0.1), LOSS)
    model.fit(pruning.batches(200), epochs=2, callbacks=[pruning, keep], verbose=0)
    (kernel, bias), losses = before[1]
    kept = np.flatnonzero(pruning.losses.read() != losses)
    weights = np.where(losses[kept] < losses.mean(), 4.0, 1.0)
    assert pruning.history[1].kept == len(kept) and set(weights) == {1, 4}
    x = flat_inputs(examples)[kept]
    logits = x @ kernel + bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error = (p - np.eye(10)[examples.labels[kept]]) * weights[:, None] / len(kept)
    found = model.get_weights()
    np.testing.assert_allclose(found[0], kernel - 0.1 * x.T @ error, atol=1e-6)
    np.testing.assert_allclose(found[1], bias - 0.1 * error.sum(axis=0), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(examples, policy):
    """Losses and learning rates are those of float32, and the schedule ends with the run."""
    losses, rates = [], []
    for name in ("float32", policy):
        # Its choice does not depend on losses, so that both runs see the same examples.
        pruning, seen = kp.dynamic.RS2(examples, 4, f=0.5), small.Rates()
        keras.config.set_dtype_policy(name)
        try:
            model = pruning.recording(linear(examples))
        finally:
            keras.config.set_dtype_policy("float32")
        line = keras.optimizers.schedules.PolynomialDecay(0.1, 100, 0.0)
        model.compile(keras.optimizers.SGD(pruning.follow(line, 100)), LOSS)
        model.fit(pruning.batches(32), epochs=4, callbacks=[pruning, seen], verbose=0)
        losses.append(pruning.losses.read())
        rates.append(seen.rates)
    assert len(rates[0]) == pruning.steps == 12
    expected = [0.1 * (1 - step / 12) for step in range(12)]
    np.testing.assert_allclose(rates[0], expected, atol=6e-4)
    np.testing.assert_array_equal(rates[1], rates[0])
    np.testing.assert_allclose(losses[1], losses[0], atol=0.05)


def test_a_rate_follows_the_run_of_accumulated_gradients(examples):
    pruning, seen = kp.dynamic.RS2(examples, 4, f=0.5), small.Rates()
    model = pruning.recording(linear(examples))
    line = keras.optimizers.schedules.PolynomialDecay(0.1, 100, 0.0)
    optimizer = keras.optimizers.SGD(pruning.follow(line, 100), gradient_accumulation_steps=2)
    model.compile(optimizer, LOSS)
    model.fit(pruning.batches(32), epochs=4, callbacks=[pruning, seen], verbose=0)
    expected = [0.1 * (1 - step / 12) for step in range(12)]
    np.testing.assert_allclose(seen.rates, expected, atol=6e-4)


@pytest.mark.parametrize("count", [2**8 + 1, 2**24 + 1])
def test_rows_beyond_narrow_numbers_stay_themselves(count):
    """256 and 2²⁴: above them, bfloat16 and float32 skip integers."""
    last = np.arange(count - 3, count)

    def arrays():
        return last, np.ones(3, np.float32), np.zeros((1, 2), np.int64)

    ((x, _, _),) = batches.of_epochs(lambda rows: (rows, rows), arrays, 3, None)
    np.testing.assert_array_equal(x["row"], last)
    store = LossStore(count)
    tf.function(store.write)(x["row"], tf.constant([1.0, 2.0, 3.0]))
    found = store.read()
    np.testing.assert_array_equal(found[-3:], [1, 2, 3])
    assert np.isinf(found[:-3]).all()
