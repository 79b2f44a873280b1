import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import VoG
from keras_pruning.scores.vog import class_z_scores, gradient_variance


def test_by_hand():
    # Two checkpoints, two examples of two features: deviations (1, 0) and (2, 1).
    gradients = np.array([[[1, 3], [0, 0]], [[3, 3], [4, 2]]], "float32")
    np.testing.assert_allclose(gradient_variance(gradients), [0.5, 1.5], 1e-6)


def test_divides_by_the_number_of_checkpoints():
    gradients = np.array([[[0]], [[0]], [[3]]], "float32")
    np.testing.assert_allclose(gradient_variance(gradients), [2**0.5], 1e-6)


def test_averages_channels_with_their_signs_first():
    opposite = np.zeros((2, 1, 1, 1, 2), "float32")
    opposite[1, ..., 0], opposite[1, ..., 1] = 1, -1
    np.testing.assert_array_equal(gradient_variance(opposite), [0])
    np.testing.assert_allclose(gradient_variance(np.abs(opposite)), [0.5], 1e-6)


def test_the_format_of_images_names_the_axis_of_channels():
    gradients = np.random.default_rng(0).normal(size=(4, 2, 5, 6, 3)).astype("float32")
    expected = gradient_variance(gradients)
    first = np.moveaxis(gradients, -1, 2)
    np.testing.assert_allclose(gradient_variance(first, "channels_first"), expected, rtol=1e-6)
    assert not np.allclose(gradient_variance(first), expected)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def both_formats(count=12):
    """Examples and two models that compute the same, for each format of images."""
    x = np.random.default_rng(0).normal(size=(count, 5, 6, 3)).astype("float32")
    formats = []
    for axes in ((0, 1, 2, 3), (0, 3, 1, 2)):
        examples = kp.Examples.from_arrays(x.transpose(axes), np.arange(count) % 3)
        models = []
        for seed in range(2):
            keras.utils.set_random_seed(seed)
            inputs = keras.Input(examples.shape)
            images = keras.layers.Permute((2, 3, 1))(inputs) if axes[1] == 3 else inputs
            hidden = keras.layers.Dense(5, activation="tanh")(keras.layers.Flatten()(images))
            models.append(keras.Model(inputs, keras.layers.Dense(3)(hidden)))
        formats.append((models, examples))
    return formats


def test_vog_of_channels_first(channels_first):
    (models, examples), (models_first, examples_first) = both_formats()
    table = kp.score_checkpoints(models_first, examples_first, ["vog"])
    assert table.metadata["scores"]["vog"]["image_data_format"] == "channels_first"
    message = "over channels. Expected.*channels_first.*Received: .*5, 6, 3.*set_image_data_format"
    with pytest.warns(UserWarning, match=message):
        kp.score_checkpoints(models, examples, ["vog"])
    keras.config.set_image_data_format("channels_last")
    expected = kp.score_checkpoints(models, examples, ["vog"])
    assert expected.metadata["scores"]["vog"]["image_data_format"] == "channels_last"
    np.testing.assert_allclose(table["vog"], expected["vog"], atol=1e-4)
    with pytest.warns(UserWarning, match="Expected examples with channels_last"):
        kp.score_checkpoints(models_first, examples_first, ["vog"])


@pytest.fixture
def floatx():
    yield keras.config.set_floatx
    keras.config.set_floatx("float32")


@pytest.mark.parametrize(("name", "tolerance"), [("float64", 1e-5), ("float16", 0.05)])
def test_vog_of_other_floats(name, tolerance, floatx):
    """The same weights in another dtype give the same scores, up to its rounding."""
    examples, tables = small.random_images(20, shape=(6,)), []
    for dtype in ("float32", name):
        floatx(dtype)
        models = []
        for seed in range(2):
            rng = np.random.default_rng(seed)
            stack = [keras.layers.Dense(5, activation="tanh", dtype=dtype)]
            stack += [keras.layers.Dense(3, dtype=dtype)]
            models.append(keras.Sequential([keras.Input((6,)), *stack]))
            models[-1].set_weights([rng.normal(size=weight.shape) for weight in models[-1].weights])
        tables.append(kp.score_checkpoints(models, examples, ["vog"])["vog"])
    np.testing.assert_allclose(*tables, atol=tolerance)


def test_equal_checkpoints_give_exactly_0():
    gradient = np.random.default_rng(0).normal(size=(1, 5, 4, 4, 3)).astype("float32")
    np.testing.assert_array_equal(gradient_variance(np.repeat(gradient, 7, axis=0)), np.zeros(5))


def test_scaling_the_gradients_scales_the_score():
    gradients = np.random.default_rng(0).normal(size=(3, 5, 4, 4, 1)).astype("float32")
    np.testing.assert_allclose(
        gradient_variance(3 * gradients), 3 * np.asarray(gradient_variance(gradients)), 1e-5
    )


def test_z_scores_by_hand():
    # Class 0: mean 2, deviation 1. Class 1: one example. Class 3: no variation. No class 2.
    z = class_z_scores([1, 3, 8, 5, 5], np.array([0, 0, 1, 3, 3]))
    np.testing.assert_allclose(z, [-1, 1, 0, 0, 0])


def test_against_a_network_derived_by_hand():
    """z = W₂ relu(W₁ x): ∂z_y/∂x = W₁ · (W₂[:, y] where the unit is active)."""
    examples = small.random_images(20, shape=(6,))
    x = examples.stored_inputs(np.arange(20))
    variances = []
    models = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        hidden = keras.layers.Dense(5, activation="relu")
        models.append(keras.Sequential([keras.Input((6,)), hidden, keras.layers.Dense(3)]))
        w1, b1, w2, _ = [weight.numpy() for weight in models[-1].weights]
        active = (x @ w1 + b1 > 0).astype(float)
        variances.append((active * w2[:, examples.labels].T) @ w1.T)
    raw = np.std(variances, axis=0).mean(axis=1)
    expected = np.empty(20)
    for label in range(3):
        members = examples.labels == label
        expected[members] = (raw[members] - raw[members].mean()) / raw[members].std()
    table = kp.score_checkpoints(models, examples, ["vog"])
    np.testing.assert_allclose(table["vog"], expected, atol=1e-4)


@pytest.mark.slow
def test_against_one_gradient_at_a_time():
    examples = small.digits(60)
    models = [small.network(examples, seed) for seed in range(3)]
    x = examples.stored_inputs(np.arange(len(examples)))
    raw = []
    for image, label in zip(x, examples.labels, strict=True):
        maps = []
        for model in models:
            image_tensor = tf.constant(image[np.newaxis])
            with tf.GradientTape() as tape:
                tape.watch(image_tensor)
                logit = model(image_tensor, training=False)[0, label]
            maps.append(tape.gradient(logit, image_tensor).numpy()[0].mean(axis=-1))
        raw.append(np.std(maps, axis=0).mean())
    expected = class_z_scores(raw, examples.labels)
    table = kp.score_checkpoints(models, examples, ["vog"], batch_size=7)
    np.testing.assert_allclose(table["vog"], expected, atol=2e-3)


@pytest.mark.slow
def test_a_flipped_label_changes_the_score():
    examples = small.random_images(20)
    models = [small.network(examples, seed) for seed in range(2)]
    flipped = kp.Examples.from_arrays(
        examples.stored_inputs(np.arange(20)), np.r_[examples.labels[1], examples.labels[1:]]
    )
    before = kp.score_checkpoints(models, examples, ["vog"])["vog"]
    after = kp.score_checkpoints(models, flipped, ["vog"])["vog"]
    assert before[0] != after[0]


def test_a_linear_model_scores_0():
    examples = small.random_images(30, shape=(5,))
    models = [keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)]) for _ in range(2)]
    with pytest.warns(UserWarning, match="`vog` is the same for all examples: 0"):
        table = kp.score_checkpoints(models, examples, ["vog"])
    np.testing.assert_array_equal(table["vog"], 0)


@pytest.mark.parametrize(
    ("every", "epochs", "due"), [(None, 5, [1, 2, 3, 4, 5]), (2, 5, [2, 4]), (None, 40, None)]
)
def test_checkpoint_interval(every, epochs, due):
    assert VoG(every).epochs_due(epochs) == (due or list(range(4, 41, 4)))


def test_refuses_one_checkpoint():
    with pytest.raises(InputError, match="at least two checkpoints.*every=3, epochs=5"):
        VoG(every=3).epochs_due(5)
    examples = small.random_images()
    with pytest.raises(InputError, match="at least two checkpoints"):
        kp.score_checkpoints([small.network(examples)], examples, ["vog"])


@pytest.mark.slow
def test_each_score_reads_its_own_checkpoints():
    """The interval of one score must not leak into the gradients that another one sees."""

    class Coarse(VoG):
        name = "coarse"

    examples = small.random_images()
    models = [small.network(examples, seed) for seed in range(4)]
    both = kp.score_checkpoints(models, examples, [VoG(every=1), Coarse(every=2)])
    alone = kp.score_checkpoints([models[1], models[3]], examples, [VoG(every=1)])
    np.testing.assert_allclose(both["coarse"], alone["vog"], atol=1e-5)
    assert np.abs(both["vog"] - both["coarse"]).max() > 0.01
