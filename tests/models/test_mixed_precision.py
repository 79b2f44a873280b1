"""Models whose layers compute in half precision."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning.scores import SCORES

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def examples():
    return small.digits(60)


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def network(examples):
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(16, activation="relu", name="hidden")
    layers = [keras.layers.Flatten(), hidden, keras.layers.BatchNormalization()]
    # A softmax in float32, as Keras advises.
    softmax = keras.layers.Activation("softmax", dtype="float32")
    model = keras.Sequential(
        [keras.Input(examples.shape), *layers, keras.layers.Dense(10), softmax]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def scored(model, examples, checkpoints):
    """The scores of a run whose epochs end with these weights."""
    scores = [{"name": name, "k": 5} if name == "prediction_depth" else name for name in SCORES]
    callback = kp.ScoreCallback(examples, scores)
    callback.set_model(model)
    callback.set_params({"epochs": len(checkpoints)})
    callback.on_train_begin()
    for epoch, weights in enumerate(checkpoints):
        model.set_weights(weights)
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    return callback.table()


@pytest.fixture(scope="module")
def tables(examples):
    """Scores of the same weights in single and in half precision."""
    single, checkpoints = network(examples), []
    for _ in range(3):
        small.fit(single, examples, 3)
        checkpoints.append(single.get_weights())
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    half = network(examples)
    in_half = scored(half, examples, checkpoints)
    keras.config.set_dtype_policy(before)
    assert half.get_layer("hidden").compute_dtype == "float16"
    return scored(single, examples, checkpoints), in_half


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORES)
def test_half_precision_scores_nearly_as_single(name, tables):
    single, half = (table[name] for table in tables)
    assert half.dtype == np.float32
    assert np.isfinite(half).all()
    close = np.isclose(half, single, rtol=0.02, atol=0.02 * single.std())
    assert close.mean() > 0.9
    assert np.corrcoef(half, single)[0, 1] > 0.98


def test_a_dense_layer_in_single_precision_stays_in_it(half_precision, examples):
    """A softmax inside of it is taken off, not its precision."""
    inside = keras.layers.Dense(10, activation="softmax", dtype="float32")
    layers = network(examples).layers[:-1]
    model = keras.Sequential([keras.Input(examples.shape), *layers, inside])
    inside.set_weights([30 * weight for weight in inside.get_weights()])
    p = np.asarray(model(examples.stored_inputs(np.arange(60)), training=False), float)
    expected = np.linalg.norm(p - np.eye(10)[examples.labels], axis=1)
    table = kp.score_checkpoints([model], examples, ["el2n"])
    np.testing.assert_allclose(table["el2n"], expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [pytest.param("float64", marks=pytest.mark.slow), "bfloat16"])
@pytest.mark.parametrize("name", ["el2n", "grand", pytest.param("vog", marks=pytest.mark.slow)])
def test_weights_of_another_precision(name, dtype):
    examples = small.random_images(9, shape=(4,))
    models = {"float32": [], dtype: []}
    for seed in range(2):
        for each, others in models.items():
            dense = keras.layers.Dense(3, dtype=each)
            others.append(keras.Sequential([keras.Input((4,)), keras.layers.ReLU(), dense]))
            dense.set_weights([np.random.default_rng(seed).normal(size=(4, 3)), np.zeros(3)])
    single, other = (kp.score_checkpoints(each, examples, [name])[name] for each in models.values())
    assert other.dtype == np.float32
    np.testing.assert_allclose(other, single, atol=0.05 if dtype == "bfloat16" else 1e-5)
