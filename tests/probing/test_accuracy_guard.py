"""Values that `fit` reads and values that are scored: equal, or an error."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

import keras_pruning as kp
from keras_pruning import InputError

PIXELS = (load_digits().images[:600, ..., np.newaxis] * 255 / 16).astype("uint8")
LABELS = load_digits().target[:600]
FORMS = {
    "0 to 1": PIXELS.astype("float32") / 255,
    "0 to 255": PIXELS.astype("float32"),
    "uint8": PIXELS,
    "standardised": (PIXELS - PIXELS.mean()) / PIXELS.std(),
}
EQUAL = [{form} for form in FORMS] + [{"0 to 255", "uint8"}]
BODIES = {
    "mlp": lambda: [layers.Flatten(), layers.Dense(32, activation="relu")],
    "cnn": lambda: [layers.Conv2D(8, 3, activation="relu"), layers.Flatten()],
    "bn": lambda: [layers.Conv2D(8, 3), layers.BatchNormalization(), layers.Flatten()],
}


def model_of(body, metrics=("accuracy",), first=(), **options):
    keras.utils.set_random_seed(0)
    parts = [keras.Input((8, 8, 1)), *first, *BODIES[body](), layers.Dense(10)]
    model = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=list(metrics), **options)
    return model


def fit(model, x, y, examples, epochs=2, verify=True, **options):
    callback = kp.ScoreCallback(examples, ["el2n"], verify=verify)
    options = {"batch_size": 32, "verbose": 0} | options
    model.fit(x, y, epochs=epochs, callbacks=[callback], **options)
    return callback.table()["el2n"]


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("scored", FORMS)
@pytest.mark.parametrize("read", FORMS)
def test_other_values_than_fit_reads_are_an_error(read, scored, body):
    examples = kp.Examples.from_arrays(FORMS[scored], LABELS)
    model = model_of(body, metrics=())
    if {read, scored} in EQUAL:
        expected = kp.Examples.from_arrays(FORMS[read], LABELS)
        ours = fit(model, FORMS[read], LABELS, examples)
        again = fit(model_of(body, metrics=()), FORMS[read], LABELS, expected)
        np.testing.assert_array_equal(ours, again)
    else:
        with pytest.raises(InputError, match="contradict `fit`. It has read inputs of mean"):
            fit(model, FORMS[read], LABELS, examples)


def test_pixels_that_the_model_scales_itself():
    """Divided by 255 twice, they had an accuracy of 0.10 without a word."""
    model = model_of("cnn", first=[layers.Rescaling(1 / 255)])
    twice = kp.Examples.from_arrays(PIXELS, LABELS, scale=1 / 255)
    with pytest.raises(InputError, match=r"scaled or preprocessed.*`scale=`.*verify=False"):
        fit(model, PIXELS, LABELS, twice)
    # The training step is as it was, although `fit` ended by the error.
    assert "compute_loss" not in vars(model)
    fit(model, PIXELS, LABELS, kp.Examples.from_arrays(PIXELS, LABELS))


@pytest.mark.filterwarnings("ignore:The scored examples contradict")
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("metrics", [["accuracy"], []])
def test_classes_in_another_order_are_an_error(body, metrics):
    examples = kp.Examples.from_arrays(FORMS["0 to 1"], (LABELS + 3) % 10)
    with pytest.raises(InputError, match="accuracy 0.* against 0.*classes in another order"):
        fit(model_of(body, metrics), FORMS["0 to 1"], LABELS, examples, epochs=6)


def test_verify_false_scores_whatever_fit_reads():
    examples = kp.Examples.from_arrays(PIXELS, LABELS)
    assert np.isfinite(fit(model_of("mlp"), FORMS["0 to 1"], LABELS, examples, verify=False)).all()


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "body", ["mlp", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cnn", "bn"))]
)
def test_training_and_scores_stay_as_they_are(body, jit_compile):
    """To the last bit, in a second fit too, and with steps that are compiled together."""
    x = FORMS["0 to 1"]
    examples = kp.Examples.from_arrays(x, LABELS)
    models = []
    for verify in (False, True):
        model = model_of(body, jit_compile=jit_compile, steps_per_execution=3)
        scores = [fit(model, x, LABELS, examples, verify=verify) for _ in range(2)]
        models.append([*model.get_weights(), *scores])
        assert "compute_loss" not in vars(model)
    for ours, expected in zip(*models, strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"first": [layers.RandomTranslation(0.2, 0.2), layers.RandomRotation(0.1)]},
        {"first": [layers.Dropout(0.5)]},
        {"metrics": ()},
        {"metrics": (), "weighted_metrics": ["accuracy"]},
    ],
)
def test_no_alarm_where_the_examples_are_those_of_fit(options):
    x = FORMS["0 to 1"]
    examples = kp.Examples.from_arrays(x, LABELS)
    weights = {label: 1 + label / 10 for label in range(10)}
    fit(model_of("cnn", **options), x, LABELS, examples, epochs=4, class_weight=weights)


def test_no_alarm_in_an_early_epoch_of_batch_normalization():
    """Its moving averages lag, so that the eval mode is near chance."""
    x = FORMS["0 to 1"] * 50 + 300
    model = model_of("bn")
    with pytest.warns(UserWarning, match="moving averages of BatchNormalization are not settled"):
        fit(model, x, LABELS, kp.Examples.from_arrays(x, LABELS), epochs=3, batch_size=60)


@pytest.mark.slow
def test_other_examples_than_those_of_fit():
    """A network that has learned its examples by heart, and is scored on others."""
    x = FORMS["0 to 1"]
    train, rest = kp.Examples.from_arrays(x[:40], LABELS[:40]), np.s_[40:]
    callback = kp.ScoreCallback(
        kp.Examples.from_arrays(x[rest], LABELS[rest], split="test"), ["el2n"], support=train
    )
    model = model_of("mlp")
    model.fit(x[:40], LABELS[:40], epochs=60, verbose=0, callbacks=[callback])
    assert callback.table()["el2n"].shape == (560,)


def test_recorded_training_is_watched_too():
    examples = kp.Examples.from_arrays(FORMS["0 to 1"], LABELS)
    others = kp.Examples.from_arrays(FORMS["0 to 255"], LABELS)
    callback = kp.ScoreCallback(examples, ["el2n", "aum"])
    recording = callback.recording(model_of("mlp"))
    recording.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(InputError, match="It has read inputs of mean"):
        recording.fit(others.batches(32, rows=True), shuffle=False, verbose=0, callbacks=[callback])


def test_texts_are_compared_by_their_lengths():
    texts = ["a b"] * 20 + ["b c d"] * 20
    vectorize = layers.TextVectorization(vocabulary=list("abcd"), output_sequence_length=3)
    model = keras.Sequential(
        [
            keras.Input((), dtype="string"),
            vectorize,
            layers.Embedding(7, 4),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = np.repeat([0, 1], 20)
    examples = kp.Examples.from_arrays(texts, labels)
    fit(model, keras.ops.convert_to_tensor(texts), labels, examples)
    longer = kp.Examples.from_arrays([text * 9 for text in texts], labels)
    with pytest.raises(InputError, match="It has read inputs of mean 4"):
        fit(model, keras.ops.convert_to_tensor(texts), labels, longer)


def test_a_fit_that_was_interrupted_leaves_no_watch_for_long():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    x = FORMS["0 to 1"][:64]
    examples, model = kp.Examples.from_arrays(x, LABELS[:64]), model_of("mlp")
    with pytest.raises(KeyboardInterrupt):
        callbacks = [kp.ScoreCallback(examples, ["el2n"]), Interrupt()]
        model.fit(x, LABELS[:64], callbacks=callbacks, verbose=0)
    fit(model, x, LABELS[:64], examples)
    assert "compute_loss" not in vars(model)


def test_a_loss_that_the_user_has_set_on_the_model_stays():
    x = FORMS["0 to 1"][:64]
    model = model_of("mlp")
    calls, before = [], model.compute_loss

    def compute_loss(*arguments, **options):
        calls.append(1)
        return before(*arguments, **options)

    model.compute_loss = compute_loss
    fit(model, x, LABELS[:64], kp.Examples.from_arrays(x, LABELS[:64]))
    assert vars(model)["compute_loss"] is compute_loss
    assert calls


@pytest.mark.parametrize(
    "metrics", ["metrics", pytest.param("weighted_metrics", marks=pytest.mark.slow)]
)
def test_no_alarm_with_weights_of_zero(metrics):
    """Half of the classes is not learned, so that loss and accuracy of all differ from those."""
    examples = kp.Examples.from_arrays(FORMS["0 to 1"], LABELS)
    model = model_of("mlp")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, **{metrics: ["accuracy"]})
    weights = np.where(LABELS < 5, 0.0, 1.0)
    fit(model, FORMS["0 to 1"], LABELS, examples, epochs=6, sample_weight=weights)
    with pytest.raises(InputError, match="contradict `fit`"):
        other = kp.Examples.from_arrays(FORMS["0 to 255"], LABELS)
        fit(model, FORMS["0 to 1"], LABELS, other, sample_weight=weights)


@pytest.mark.filterwarnings("ignore:The scored examples contradict")
@pytest.mark.parametrize("activation", ["sigmoid", pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "loss", ["mse", pytest.param("binary_focal_crossentropy", marks=pytest.mark.slow)]
)
def test_classes_of_one_output_in_the_other_order(loss, activation):
    keras.utils.set_random_seed(0)
    loss = keras.losses.get(loss)
    if activation is None:
        loss = keras.losses.BinaryFocalCrossentropy(from_logits=True)
    x, y = FORMS["0 to 1"], LABELS % 2
    for labels, is_same in ((y, True), (1 - y, False)):
        parts = [layers.Flatten(), layers.Dense(32, activation="relu")]
        end = layers.Dense(1, activation=activation)
        model = keras.Sequential([keras.Input((8, 8, 1)), *parts, end])
        model.compile(keras.optimizers.Adam(0.01), loss)
        examples = kp.Examples.from_arrays(x, labels)
        if is_same:
            fit(model, x, y, examples, epochs=5)
        else:
            with pytest.raises(InputError, match="accuracy 0.* against 0"):
                fit(model, x, y, examples, epochs=5)


class OwnStep(keras.Model):
    """Returns the loss of a batch itself, in whose place Keras reports 0."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


@pytest.mark.slow
def test_own_training_steps_are_watched():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for form, is_same in (("0 to 1", True), ("0 to 255", False)):
        inputs = keras.Input((8, 8, 1))
        model = OwnStep(inputs, layers.Dense(10)(layers.Flatten()(inputs)))
        model.compile("adam", loss)
        examples = kp.Examples.from_arrays(FORMS[form], LABELS)
        if is_same:
            fit(model, FORMS["0 to 1"], LABELS, examples)
        else:
            with pytest.raises(InputError, match="contradict `fit`"):
                fit(model, FORMS["0 to 1"], LABELS, examples)


class BareStep(OwnStep):
    """Calls no method of Keras that could be watched."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        raise AssertionError

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(y, self(x), from_logits=True)
            )
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def test_a_training_step_that_cannot_be_watched_is_not_silent():
    inputs = keras.Input((8, 8, 1))
    model = BareStep(inputs, layers.Dense(10)(layers.Flatten()(inputs)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    examples = kp.Examples.from_arrays(FORMS["0 to 255"], LABELS)
    with pytest.raises(InputError, match="contradict `fit`"):
        fit(model, FORMS["0 to 1"], LABELS, examples)


REPLICAS = """
import sys
import keras, numpy as np, tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras_pruning as kp

digits = kp.load_examples("digits")
x, y = digits.stored_inputs(np.arange(300)), digits.labels[:300]
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    layers = [keras.layers.Flatten(), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
for stored in (x, (x - x.mean()) / x.std()):
    callback = kp.ScoreCallback(kp.Examples.from_arrays(stored, y), ["el2n"])
    try:
        model.fit(x, y, epochs=2, callbacks=[callback], verbose=0)
        print("right")
    except kp.InputError as error:
        print("contradict `fit`. It has read inputs of" in str(error))
"""


@pytest.mark.slow
def test_replicas_on_several_devices_are_watched():
    command = [sys.executable, "-c", REPLICAS]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["right", "True"]
