"""Models of several outputs, of which one is scored."""

import keras
import numpy as np
import pytest
from keras import layers
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.models import heads

ONES = keras.ops.ones((2, 6))


@pytest.fixture(scope="module")
def examples():
    return small.random_images(30, shape=(6,))


def two_heads(outputs):
    inputs = keras.Input((6,))
    hidden = layers.Dense(5)(inputs)
    heads = [layers.Dense(3, activation="softmax", name=name)(hidden) for name in ("b", "a")]
    return keras.Model(inputs, outputs(heads))


@pytest.mark.parametrize("outputs", [list, lambda heads: dict(zip("ba", heads, strict=True))])
def test_two_heads_are_refused_before_training(outputs, examples):
    model = two_heads(outputs)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile("sgd", loss={"b": loss, "a": loss})
    y = examples.labels
    x = examples.stored_inputs(np.arange(30))
    callback = kp.ScoreCallback(examples, ["el2n"])
    message = r"several outputs. Expected `output` to name one of \['a', 'b'\].*2 outputs"
    with pytest.raises(InputError, match=message):
        model.fit(x, {"b": y, "a": y}, verbose=0, callbacks=[callback])
    assert model.optimizer.iterations == 0
    with pytest.raises(InputError, match="several outputs"):
        kp.score_checkpoints([model], examples, ["el2n"])


class TwoHeads(keras.Model):
    """The model of `two_heads`, without a graph."""

    def __init__(self, model):
        super().__init__()
        self.parts = [model.layers[1], model.get_layer("b"), model.get_layer("a")]

    def call(self, x):
        hidden = self.parts[0](x)
        return {"b": self.parts[1](hidden), "a": self.parts[2](hidden)}


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("kind", [list, dict, TwoHeads])
def test_the_named_output_is_scored(kind, name, examples):
    model = two_heads(lambda heads: dict(zip("ba", heads, strict=True)) if kind is dict else heads)
    alone = keras.Sequential([keras.Input((6,)), model.layers[1], model.get_layer(name)])
    expected = kp.score_checkpoints([alone], examples, ["loss"])["loss"]
    model = TwoHeads(model) if kind is TwoHeads else model
    if kind is TwoHeads:
        # Its outputs are probabilities, which it does not show.
        with pytest.raises(InputError, match="ends in a softmax"):
            kp.score_checkpoints([model], examples, ["loss"], output=name)
        model.parts[1].activation = model.parts[2].activation = keras.activations.linear
    ours = kp.score_checkpoints([model], examples, ["loss"], output=name)["loss"]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_the_callback_scores_the_named_output(examples):
    model, y = two_heads(lambda heads: dict(zip("ba", heads, strict=True))), examples.labels
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile("sgd", loss={"b": loss, "a": loss})
    callback = kp.ScoreCallback(examples, ["el2n"], output="a")
    x = examples.stored_inputs(np.arange(30))
    model.fit(x, {"b": y, "a": y}, epochs=1, verbose=0, callbacks=[callback])
    expected = kp.score_checkpoints([model], examples, ["el2n"], output="a")["el2n"]
    np.testing.assert_array_equal(callback.table()["el2n"], expected)


@pytest.mark.parametrize("model", [two_heads(list), keras.Sequential([layers.Dense(3)])])
def test_an_unknown_output_is_refused(model, examples):
    with pytest.raises(InputError, match="has no output 'c'. Expected `output` to name one of"):
        kp.score_checkpoints([model], examples, ["el2n"], output="c")


def test_a_dictionary_of_one_output_is_that_output(examples):
    plain = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    nested = keras.Model(plain.inputs, {"only": plain.outputs[0]})
    np.testing.assert_array_equal(heads.as_logits(nested)(ONES), plain(ONES))
