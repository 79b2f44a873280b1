"""Recording in training runs of every kind, and the runs that it refuses."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small
from support.small import compiled, plain_network

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def test_refuses_a_hidden_softmax_and_another_recording(examples):
    callback = kp.ScoreCallback(examples, ["aum"])
    end = [keras.layers.Softmax(), keras.layers.Dropout(0.5)]
    softmaxed = keras.Sequential([plain_network(examples), *end])
    with pytest.raises(InputError, match="ends in a softmax. Expected logits"):
        callback.recording(softmaxed)
    recording = compiled(callback.recording(plain_network(examples)))
    other = kp.ScoreCallback(examples, ["aum"])
    with pytest.raises(InputError, match="records for other scores. Expected the model"):
        recording.fit(examples.batches(32, rows=True), callbacks=[other], verbose=0, shuffle=False)


@pytest.mark.parametrize("method", ["train_step", "compute_loss"])
def test_refuses_a_model_whose_training_step_it_would_replace(method, examples):
    own = type("Own", (keras.Sequential,), {method: lambda *arguments, **options: 0.0})
    model = own(plain_network(examples).layers)
    with pytest.raises(InputError, match=f"training step of its own.*Received: Own with {method}"):
        kp.ScoreCallback(examples, ["aum"]).recording(model)


@pytest.mark.slow
def test_validation_is_not_recorded(examples):
    tables = []
    for validated in (False, True):
        model = plain_network(examples)
        callback = kp.ScoreCallback(examples, ["aum", "forgetting"])
        recording = compiled(callback.recording(model))
        batches = examples.batches(32, shuffle=True, seed=3, rows=True)
        options = {"validation_data": examples.batches(32, rows=True)} if validated else {}
        recording.fit(batches, epochs=3, callbacks=[callback], verbose=0, shuffle=False, **options)
        tables.append(callback.table())
    for name in ("aum", "forgetting"):
        np.testing.assert_array_equal(tables[1][name], tables[0][name])


def test_a_fit_after_one_that_broke_off_starts_clean(examples):
    class BreakOff(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    model = plain_network(examples)
    callback = kp.ScoreCallback(examples, ["correctness"])
    recording = compiled(callback.recording(model), learning_rate=0.0)
    batches = examples.batches(32, shuffle=True, rows=True)
    options = {"verbose": 0, "shuffle": False}
    with pytest.raises(KeyboardInterrupt):
        recording.fit(batches, callbacks=[callback, BreakOff()], **options)
    recording.fit(batches, epochs=2, callbacks=[callback], **options)
    assert set(callback._recorder.scores[0].presentations) == {2}


@pytest.mark.slow
def test_an_example_that_comes_too_often_is_an_error(examples):
    callback = kp.ScoreCallback(examples, ["correctness"])
    recording = compiled(callback.recording(plain_network(examples)))
    batches = examples.batches(32, rows=True).repeat()
    with pytest.raises(InputError, match="2 times.*Expected at most 1, as `passes`"):
        recording.fit(batches, steps_per_epoch=7, callbacks=[callback], verbose=0, shuffle=False)


class Scripted(keras.Model):
    """Gives its inputs as logits."""

    def build(self, shape):
        self.unused = self.add_weight(shape=(), name="unused")

    def call(self, x, training=None):
        return x + 0 * self.unused


@pytest.mark.parametrize("passes", [1, 2])
def test_an_example_that_a_batch_holds_twice_counts_twice(passes):
    """Row 1 comes three times in two batches, right once."""
    three = kp.Examples.from_arrays(np.zeros((3, 2), "float32"), np.array([0, 0, 1]))
    rows = np.array([1, 0, 1, 2, 2, 0])
    logits = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0], [1, 0]], "float32")
    inputs = {"x": logits, "row": rows}
    batches = tf.data.Dataset.from_tensor_slices((inputs, three.labels[rows])).batch(3)
    callback = kp.ScoreCallback(three, ["correctness"], verify=False)
    recording = compiled(callback.recording(Scripted(), passes))
    options = {"callbacks": [callback], "verbose": 0, "shuffle": False}
    if passes == 1:
        with pytest.raises(InputError, match="2 times.*Expected at most 1.*Received: 2.*passes=2"):
            recording.fit(batches, **options)
    else:
        recording.fit(batches, **options)
        assert list(callback._recorder.scores[0].presentations) == [2, 2, 2]
        np.testing.assert_allclose(callback.table()["correctness"], [1, 0.5, 0.5])


class OnSeveralDevices(keras.Sequential):
    @property
    def distribute_strategy(self):
        return SimpleNamespace(num_replicas_in_sync=2)


def test_refuses_to_record_on_several_devices(examples):
    model = OnSeveralDevices(plain_network(examples).layers)
    with pytest.raises(InputError, match="several devices. Expected a model of one.*with 2. Use"):
        kp.ScoreCallback(examples, ["aum"]).recording(model)


def other_order(examples):
    rows = np.arange(len(examples))[::-1]
    return kp.Examples.from_arrays(
        examples.stored_inputs(rows), examples.labels[rows], num_classes=10
    )


@pytest.mark.parametrize(
    "others",
    [other_order, lambda examples: examples.with_label_noise(0.3), lambda _: small.digits(200)],
)
def test_training_on_other_examples_than_scored_is_an_error(others, examples):
    callback = kp.ScoreCallback(examples, ["aum"])
    recording = compiled(callback.recording(plain_network(examples)))
    batches = others(examples).batches(32, rows=True)
    with pytest.raises(InputError, match="on other examples than the callback scores.*Expected"):
        recording.fit(batches, callbacks=[callback], verbose=0, shuffle=False)


def test_batches_without_rows_are_for_validation_only(examples):
    callback = kp.ScoreCallback(examples, ["aum"])
    recording = compiled(callback.recording(plain_network(examples)))
    batches, plain = examples.batches(32, rows=True), examples.batches(32)
    options = {"callbacks": [callback], "verbose": 0, "shuffle": False}
    recording.fit(batches, validation_data=plain, **options)
    callback.table()
    np.testing.assert_array_equal(
        recording.predict(plain, verbose=0), recording.recorded.predict(plain, verbose=0)
    )
    with pytest.raises(InputError, match=r"cannot be recorded. Expected batches of.*rows=True"):
        recording.fit(plain, **options)


@pytest.mark.slow
def test_saving_saves_the_recorded_model(examples, tmp_path):
    callback = kp.ScoreCallback(examples, ["aum"])
    model = plain_network(examples)
    recording = compiled(callback.recording(model))
    savers = [
        keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "1.weights.h5"), save_weights_only=True),
    ]
    batches = examples.batches(32, rows=True)
    recording.fit(batches, callbacks=[callback, *savers], verbose=0, shuffle=False)
    saved = keras.saving.load_model(tmp_path / "1.keras")
    x = examples.stored_inputs(np.arange(5))
    np.testing.assert_array_equal(saved(x), model(x))
    fresh = plain_network(examples)
    callback.recording(fresh).load_weights(tmp_path / "1.weights.h5")
    np.testing.assert_array_equal(fresh(x), model(x))
