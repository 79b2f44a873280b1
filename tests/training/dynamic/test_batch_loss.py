"""The Batch Loss Score, for models whose training step or loss is their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


class OwnStep(keras.Model):
    """A model whose step calls nothing of Keras and returns the loss of the batch."""

    def __init__(self):
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(10)

    def call(self, inputs):
        return self.dense(self.flatten(inputs))

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(
                weight * keras.losses.sparse_categorical_crossentropy(y, self(x), from_logits=True)
            )
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


class OwnMean(OwnStep):
    """The same, which keeps a running mean of the loss."""

    def __init__(self):
        super().__init__()
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        loss = super().train_step(data)["loss"]
        self.tracker.update_state(loss, sample_weight=keras.ops.shape(data[1])[0])
        return {"loss": self.tracker.result()}


class OwnLoss(keras.Sequential):
    """A model whose loss is a number for the whole batch."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        losses = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
        return keras.ops.mean(losses * sample_weight)


def own_loss():
    return OwnLoss([keras.layers.Flatten(), keras.layers.Dense(10)])


def a_number(y, y_pred):
    losses = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
    return keras.ops.mean(losses)


def plain():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])


def fitted(pruning, model, rate, compiling=None, **options):
    keras.utils.set_random_seed(0)
    recorded = pruning.recording(model)
    recorded.compile(keras.optimizers.SGD(rate), **(compiling or {"loss": a_number}))
    recorded.fit(pruning.batches(32), callbacks=[pruning], verbose=0, **options)
    return recorded


class Plans(keras.callbacks.Callback):
    """Remembers the rows of each batch and the losses after each epoch."""

    def __init__(self, pruning):
        super().__init__()
        self.pruning, self.rows, self.losses = pruning, [], []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.rows.append(self.pruning._plan[0])

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(self.pruning.losses.read().copy())


@pytest.mark.parametrize("make", [OwnStep, OwnMean, own_loss, plain])
def test_the_running_losses_by_hand(examples, make):
    """With a learning rate of 0, the loss of a batch is the mean over its examples."""
    pruning = kp.dynamic.RS2(examples, 3, f=0.5, loss="batch")
    plans = Plans(pruning)
    keras.utils.set_random_seed(0)
    model = pruning.recording(make())
    model.compile(keras.optimizers.SGD(0.0), loss=a_number)
    model.fit(pruning.batches(32), epochs=3, callbacks=[pruning, plans], verbose=0)
    each = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    losses = each(examples.labels, model.predict(examples.batches(50), verbose=0)).numpy()
    expected = np.full(130, np.inf)
    for rows, recorded in zip(plans.rows, plans.losses, strict=True):
        for start in range(0, len(rows), 32):
            batch = rows[start : start + 32]
            mean = losses[batch].mean()
            earlier = expected[batch]
            expected[batch] = np.where(np.isinf(earlier), mean, 0.7 * earlier + 0.3 * mean)
        np.testing.assert_allclose(recorded, expected, rtol=1e-4)


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
