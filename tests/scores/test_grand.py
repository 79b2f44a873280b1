import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import GraNd
from keras_pruning.scores.grand import last_layer_gradient_norm

BOTH = pytest.mark.parametrize("weights", ["all", "last_layer"])


def grand(model, examples, weights="all", batch_size=256):
    return kp.score_checkpoints([model], examples, [GraNd(weights=weights)], batch_size)["grand"]


def one_gradient_at_a_time(model, examples, variables):
    """‖∇ CE‖ of each example by an eager loop, the norm in float64."""
    norms = []
    x = examples.stored_inputs(np.arange(len(examples)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for image, label in zip(x, examples.labels, strict=True):
        with tf.GradientTape() as tape:
            value = loss(label[np.newaxis], model(image[np.newaxis], training=False))
        gradients = tape.gradient(value, [variable.value for variable in variables])
        flat = [tf.convert_to_tensor(gradient).numpy().ravel() for gradient in gradients]
        norms.append(np.linalg.norm(np.concatenate(flat).astype(float)))
    return np.array(norms)


def el2n(model, examples):
    return kp.score_checkpoints([model], examples, ["el2n"])["el2n"]


def linear(features, **options):
    return keras.Sequential([keras.Input((features,)), keras.layers.Dense(3, **options)])


@pytest.fixture(scope="module")
def examples():
    return small.digits(40)


@pytest.fixture(scope="module")
def model(examples):
    """Returns a fitted model, so that its moving statistics differ from a batch's."""
    model = small.network(examples)
    small.fit(model, examples, epochs=2)
    return model


def test_the_closed_form_by_hand():
    p = np.float32([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    hidden = np.float32([[3, 4], [0, 2], [1, 1]])
    # EL2N as in test_el2n.py, times 5, 2 and √2
    expected = [5 * 0.38**0.5, 2 * 0.98**0.5, 0.12**0.5]
    observed = last_layer_gradient_norm(p, np.array([0, 2, 2]), hidden)
    np.testing.assert_allclose(observed, expected, 1e-6)


@BOTH
def test_a_linear_model_by_hand(weights):
    model = linear(2)
    model.set_weights([np.zeros((2, 3)), np.log([0.5, 0.3, 0.2])])
    x = np.float32([[3, 4], [0, 2], [1, 1]])
    examples = kp.Examples.from_arrays(x, np.array([0, 2, 1]))
    # √(0.5² + 0.3² + 0.2²) · √26, √(0.5² + 0.3² + 0.8²) · √5, √(0.5² + 0.7² + 0.2²) · √3
    expected = np.sqrt([0.38 * 26, 0.98 * 5, 0.78 * 3])
    np.testing.assert_allclose(grand(model, examples, weights), expected, 1e-5)


@BOTH
def test_grand_of_a_linear_model_by_formula(weights):
    examples = small.random_images(20, shape=(5,))
    keras.utils.set_random_seed(0)
    model = linear(5)
    squares = (examples.stored_inputs(np.arange(20)) ** 2).sum(axis=1)
    expected = el2n(model, examples) * np.sqrt(1 + squares)
    np.testing.assert_allclose(grand(model, examples, weights), expected, 1e-5)


@pytest.mark.slow
def test_against_one_gradient_at_a_time(examples, model):
    expected = one_gradient_at_a_time(model, examples, model.trainable_variables)
    np.testing.assert_allclose(grand(model, examples), expected, 1e-4)


@pytest.mark.slow
def test_a_frozen_layer_does_not_count(examples, model):
    before = grand(model, examples)
    others = [variable for variable in model.trainable_variables if "conv" not in variable.path]
    assert len(others) == len(model.trainable_variables) - 2
    expected = one_gradient_at_a_time(model, examples, others)
    model.get_layer("conv").trainable = False
    frozen = grand(model, examples)
    model.get_layer("conv").trainable = True
    np.testing.assert_allclose(frozen, expected, 1e-4)
    assert (frozen < before).all()


@pytest.mark.parametrize("use_bias", [True, False])
def test_of_the_last_layer(use_bias, examples, model):
    last = keras.layers.Dense(10, use_bias=use_bias)
    other = keras.Sequential([keras.Input(examples.shape), *model.layers[:-1], last])
    hidden = keras.Sequential([keras.Input(examples.shape), *model.layers[:-1]])
    h = hidden(examples.stored_inputs(np.arange(40)), training=False).numpy()
    observed = grand(other, examples, "last_layer")
    expected = one_gradient_at_a_time(other, examples, last.trainable_variables)
    np.testing.assert_allclose(observed, expected, 1e-4)
    squares = use_bias + (h**2).sum(axis=1)
    np.testing.assert_allclose(observed, el2n(other, examples) * np.sqrt(squares), 1e-4)


@BOTH
def test_a_final_softmax_or_linear_activation_changes_nothing(weights):
    examples = small.random_images(9, shape=(4,))
    keras.utils.set_random_seed(0)
    hidden, logits = keras.layers.Dense(5, activation="relu"), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((4,)), hidden, logits])
    inside = keras.layers.Dense(3, activation="softmax")
    inside.build((None, 5))
    inside.set_weights(logits.get_weights())
    cast = keras.layers.Activation("linear", dtype="float32")
    softmax = keras.layers.Softmax()
    expected = grand(model, examples, weights)
    for end in ([inside], [logits, cast], [logits, cast, softmax]):
        other = keras.Sequential([keras.Input((4,)), hidden, *end])
        np.testing.assert_allclose(grand(other, examples, weights), expected, 1e-4)


@BOTH
@pytest.mark.parametrize("batch_size", [pytest.param(1, marks=pytest.mark.slow), 39])
def test_a_short_last_batch_changes_nothing(batch_size, weights, examples, model):
    expected = grand(model, examples, weights)
    np.testing.assert_allclose(grand(model, examples, weights, batch_size), expected, 1e-4)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(10)

    def call(self, x):
        return self.dense(self.flatten(x))


def test_grand_of_all_weights_works_on_a_subclassed_model(examples):
    model = Subclassed()
    observed = grand(model, examples)
    expected = one_gradient_at_a_time(model, examples, model.trainable_variables)
    np.testing.assert_allclose(observed, expected, 1e-4)
    with pytest.raises(InputError, match="input of the last layer. Expected a functional or"):
        grand(model, examples, "last_layer")


@pytest.mark.parametrize("end", [keras.layers.ReLU(), keras.layers.Rescaling(2.0)])
def test_layers_after_the_last_dense_layer_are_no_last_layer(end):
    examples = small.random_images(6, shape=(4,))
    model = keras.Sequential([*linear(4).layers, end])
    with pytest.raises(InputError, match="Expected.*that ends in a dense layer"):
        grand(model, examples, "last_layer")


def test_the_closed_form_is_refused_where_it_does_not_hold():
    """The activation's own derivative is not in it."""
    examples = small.random_images(6, shape=(4,))
    model = linear(4, activation="tanh")
    expected = one_gradient_at_a_time(model, examples, model.trainable_variables)
    np.testing.assert_allclose(grand(model, examples), expected, 1e-4)
    with pytest.raises(InputError, match="dense layer"):
        grand(model, examples, "last_layer")


def test_an_embedding_row_used_twice_has_one_gradient():
    x = np.float32([[1, 1, 1, 2], [0, 1, 2, 3], [4, 4, 5, 5]])
    examples = kp.Examples.from_arrays(x, np.arange(3))
    keras.utils.set_random_seed(0)
    embedding = keras.layers.Embedding(6, 3, embeddings_initializer="normal")
    pool, dense = keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((4,)), embedding, pool, dense])
    expected = one_gradient_at_a_time(model, examples, model.trainable_variables)
    np.testing.assert_allclose(grand(model, examples), expected, 1e-4)


@pytest.mark.parametrize("weights", ["last", "", None, 1])
def test_refuses_other_weights(weights):
    with pytest.raises(
        InputError, match="Invalid `weights`. Expected 'all' or.*Received: weights="
    ):
        GraNd(weights=weights)


def test_is_due_after_a_tenth_of_the_run():
    assert [GraNd().epochs_due(epochs) for epochs in (1, 10, 20, 200)] == [[1], [1], [2], [20]]
    assert GraNd(epoch=1).epochs_due(200) == [1]
