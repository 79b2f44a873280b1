"""Models of several outputs or inputs, refused before anything trains."""

import keras
import numpy as np
import pytest
from keras import layers
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.models import graph

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
    message = "several outputs. Expected one.*2 outputs.*model.outputs.0.*score_checkpoints"
    with pytest.raises(InputError, match=message):
        model.fit(x, {"b": y, "a": y}, verbose=0, callbacks=[callback])
    assert model.optimizer.iterations == 0
    with pytest.raises(InputError, match="several outputs. Expected one"):
        kp.score_checkpoints([model], examples, ["el2n"])


def test_one_of_two_heads_is_scored_as_the_message_says(examples):
    model = two_heads(list)
    chosen = keras.Model(model.inputs, model.outputs[0])
    alone = keras.Sequential([keras.Input((6,)), model.layers[1], model.get_layer("b")])
    ours, expected = (
        kp.score_checkpoints([each], examples, ["loss"])["loss"] for each in (chosen, alone)
    )
    np.testing.assert_array_equal(ours, expected)


def test_a_dictionary_of_one_output_is_that_output(examples):
    plain = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    nested = keras.Model(plain.inputs, {"only": plain.outputs[0]})
    np.testing.assert_array_equal(graph.as_logits(nested)(ONES), plain(ONES))


def test_two_inputs_are_refused_with_words(examples):
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    model = keras.Model([left, right], layers.Dense(3)(left + right))
    with pytest.raises(InputError, match="several inputs. Expected.*'left', 'right'"):
        kp.score_checkpoints([model], examples, ["el2n"])
