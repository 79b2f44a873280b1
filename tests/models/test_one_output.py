"""Models of one output: a logit, or the sigmoid of one."""

import keras
import numpy as np
import pytest
from keras import layers
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.models.heads import as_logits

SCORES = ["el2n", "loss", "entropy", "margin", "aum", "forgetting", "prototype", "vog"]
ENDINGS = {
    "logit": [layers.Dense(1)],
    "sigmoid": [layers.Dense(1, activation="sigmoid")],
    "activation layer": [layers.Dense(1), layers.Activation("sigmoid", dtype="float32")],
    "operation": [layers.Dense(1), keras.ops.sigmoid],
}


@pytest.fixture(scope="module")
def examples():
    return small.random_images(40, shape=(6,), classes=2)


def hidden(inputs):
    # With biases, because a logit of 0 is a tie.
    return layers.Dense(5, activation="tanh", bias_initializer="normal")(inputs)


def one_output(ending):
    inputs = keras.Input((6,))
    x = hidden(inputs)
    for part in ENDINGS[ending]:
        if isinstance(part, layers.Layer):
            part = type(part).from_config(part.get_config() | {"name": None})
        x = part(x)
    return keras.Model(inputs, x)


def two_outputs(model):
    """Returns the softmax model whose logits are (-z / 2, z / 2)."""
    inputs = keras.Input((6,))
    twin = keras.Model(inputs, layers.Dense(2)(hidden(inputs)))
    *first, kernel, bias = model.get_weights()
    twin.set_weights([*first, np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2])
    return twin


@pytest.mark.parametrize("ending", ENDINGS)
def test_scores_are_those_of_the_same_model_with_two_logits(ending, examples):
    checkpoints = [one_output(ending) for _ in range(2)]
    ours = kp.score_checkpoints(checkpoints, examples, SCORES)
    twins = [two_outputs(model) for model in checkpoints]
    expected = kp.score_checkpoints(twins, examples, SCORES)
    for name in SCORES:
        np.testing.assert_allclose(ours[name], expected[name], rtol=1e-4, atol=1e-5)


def test_probabilities_and_margins_are_those_of_the_logit():
    z = np.array([[-3.0], [0.0], [2.0]], "float32")
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, activation="sigmoid")])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    logits = keras.ops.convert_to_numpy(as_logits(model)(z))
    np.testing.assert_allclose(logits, np.hstack([-z / 2, z / 2]))
    np.testing.assert_allclose(keras.ops.softmax(logits)[:, 1:], keras.ops.sigmoid(z), rtol=1e-6)


@pytest.mark.parametrize("ending", ENDINGS)
def test_grand_is_the_gradient_norm_of_binary_cross_entropy(ending, examples):
    """Of the last layer by hand: |p - y| √(1 + ‖h‖²)."""
    model = one_output(ending)
    x, y = examples.stored_inputs(np.arange(40)), examples.labels
    *first, kernel, bias = model.get_weights()
    h = np.tanh(x @ first[0] + first[1])
    p = 1 / (1 + np.exp(-(h @ kernel + bias)[:, 0]))
    expected = np.abs(p - y) * np.sqrt(1 + (h**2).sum(axis=1))
    ours = kp.score_checkpoints([model], examples, [kp.scores.GraNd(weights="last_layer")])
    np.testing.assert_allclose(ours["grand"], expected, rtol=1e-4)
    # Over all weights, with the first layer: its gradient is (p - y) w (1 - h²) xᵀ.
    through = (kernel[:, 0] * (1 - h**2)) ** 2
    first_layer = (p - y) ** 2 * through.sum(axis=1) * (1 + (x**2).sum(axis=1))
    total = kp.score_checkpoints([model], examples, ["grand"])["grand"]
    np.testing.assert_allclose(total, np.sqrt(expected**2 + first_layer), rtol=1e-4)


class WithoutGraph(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.parts = [layers.Dense(5, activation="relu"), layers.Dense(1, activation=activation)]

    def call(self, x):
        return self.parts[1](self.parts[0](x))


def test_a_model_without_a_graph_that_ends_in_one_logit(examples):
    model = WithoutGraph()
    ours = kp.score_checkpoints([model], examples, ["el2n", "grand"])
    shown = keras.Sequential([keras.Input((6,)), *model.parts])
    expected = kp.score_checkpoints([shown], examples, ["el2n", "grand"])
    for name in ours.names:
        np.testing.assert_allclose(ours[name], expected[name], rtol=1e-6)


def test_a_sigmoid_that_no_graph_shows_is_refused(examples):
    with pytest.raises(InputError, match="between 0 and 1 only. Take the activation off"):
        kp.score_checkpoints([WithoutGraph("sigmoid")], examples, ["el2n"])


def test_one_output_of_three_classes_is_refused():
    examples = small.random_images(30, shape=(6,), classes=3)
    with pytest.raises(InputError, match=r"Expected one output of shape \(None, 3\)"):
        kp.score_checkpoints([one_output("sigmoid")], examples, ["el2n"])


def test_the_fit_of_one_sigmoid_with_binary_cross_entropy(examples):
    """As in the Keras tutorial of images from a folder."""
    model = one_output("sigmoid")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    callback = kp.ScoreCallback(examples, ["el2n", "forgetting", "aum"])
    model.fit(examples.batches(8), epochs=3, verbose=0, shuffle=False, callbacks=[callback])
    table = callback.table()
    p = model.predict(examples.stored_inputs(np.arange(40)), verbose=0)[:, 0]
    last = kp.score_checkpoints([model], examples, ["el2n"])["el2n"]
    np.testing.assert_allclose(last, np.sqrt(2) * np.abs(p - examples.labels), rtol=1e-4)
    assert table["forgetting"].max() <= 3
