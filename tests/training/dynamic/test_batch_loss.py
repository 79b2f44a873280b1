"""The Batch Loss Score, for models whose training step or loss is their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small
from support.own_steps import OwnMean, OwnStep, a_number, own_loss, plain

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def fitted(pruning, model, rate, compiling=None, **options):
    keras.utils.set_random_seed(0)
    recorded = pruning.recording(model)
    recorded.compile(keras.optimizers.SGD(rate), **(compiling or {"loss": a_number}))
    recorded.fit(pruning.batches(32), callbacks=[pruning], verbose=0, **options)
    return recorded


@pytest.mark.parametrize("make", [OwnStep, OwnMean, own_loss])
def test_a_step_of_its_own_prunes(examples, make):
    pruning = kp.dynamic.InfoBatch(examples, 6, loss="batch")
    model = fitted(pruning, make(), 0.05, epochs=6)
    assert type(model).__name__ == make.__name__ or make is own_loss
    assert 0.1 < pruning.saved < 0.5
    assert np.isfinite(pruning.losses.read()).all()


@pytest.mark.parametrize("make, own", [(OwnStep, "train_step"), (own_loss, "compute_loss")])
def test_losses_of_examples_need_the_step_of_keras(examples, make, own):
    with pytest.raises(InputError, match=f"{own} of its own. Choose loss='batch'"):
        kp.dynamic.InfoBatch(examples, 6).recording(make())


def test_losses_of_examples_need_one_for_each(examples):
    with pytest.raises(InputError, match="a single number for the whole batch.*loss='batch'"):
        fitted(kp.dynamic.InfoBatch(examples, 6), plain(), 0.05, epochs=6)


def test_several_outputs_have_a_loss_of_the_batch(examples):
    inputs = keras.Input(examples.shape)
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, [keras.layers.Dense(10)(flat), keras.layers.Dense(10)(flat)])
    with pytest.raises(InputError, match="2 outputs. Choose loss='batch'"):
        kp.dynamic.InfoBatch(examples, 6).recording(model)
    pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
    batches = pruning.batches(32).map(lambda x, y, weight: (x, (y, y), weight))
    model = pruning.recording(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", [loss, loss])
    model.fit(batches, epochs=4, callbacks=[pruning], verbose=0)
    assert np.isfinite(pruning.losses.read()).all() and pruning.saved > 0.1


@pytest.mark.parametrize(
    "loss, one_hot",
    [
        ("sparse_categorical_crossentropy", False),
        ("crossentropy", False),
        ("ce", True),
        ("categorical_crossentropy", True),
        (keras.losses.CategoricalFocalCrossentropy(), True),
        ("mse", True),
        ([keras.losses.SparseCategoricalCrossentropy()], False),
    ],
)
def test_every_loss_of_keras_gives_one_for_each_example(examples, loss, one_hot):
    pruning = kp.dynamic.InfoBatch(examples, 1)
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    model = pruning.recording(keras.Sequential([keras.Input(examples.shape), *layers]))
    model.compile(keras.optimizers.SGD(0.0), loss)
    batches = pruning.batches(32)
    if one_hot:
        batches = batches.map(lambda x, y, weight: (x, tf.one_hot(y, 10), weight))
    logs = model.fit(batches, epochs=1, callbacks=[pruning], verbose=0).history
    # Their mean is the loss that Keras shows
    assert pruning.losses.read().mean() == pytest.approx(logs["loss"][0], rel=1e-4)


def test_one_sigmoid_and_flat_labels():
    examples = small.random_images(40, classes=2)
    pruning = kp.dynamic.InfoBatch(examples, 2)
    layers = [keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    model = pruning.recording(keras.Sequential([keras.Input(examples.shape), *layers]))
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    model.fit(pruning.batches(16), epochs=1, callbacks=[pruning], class_weight={1: 3.0}, verbose=0)
    p = model.predict(examples.batches(40), verbose=0)[:, 0]
    by_hand = -np.log(np.where(examples.labels == 1, p, 1 - p))
    np.testing.assert_allclose(pruning.losses.read(), by_hand, rtol=1e-4)
