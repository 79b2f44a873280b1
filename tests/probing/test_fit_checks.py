"""Losses and inputs that do not fit the scored examples, noticed before training."""

import warnings

import keras
import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError

X, LABELS = np.zeros((6, 2), "float32"), np.arange(6) % 3


@pytest.mark.parametrize("activation", [None, "sigmoid"])
@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        ["binary_crossentropy"],
        keras.losses.binary_focal_crossentropy,
        keras.losses.BinaryCrossentropy(name="mine"),
    ],
)
def test_several_labels_an_example_are_not_supported(loss, activation):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation=activation)])
    model.compile("sgd", loss)
    callback = kp.ScoreCallback(kp.Examples.from_arrays(X, LABELS), ["el2n"])
    with pytest.raises(InputError, match="Several labels an example are not supported") as error:
        model.fit(X, np.eye(3)[LABELS], callbacks=[callback], verbose=0)
    assert "argmax" not in str(error.value)
    assert int(model.optimizer.iterations) == 0


class WithoutGraph(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def test_a_model_without_a_graph_gives_the_same_message():
    model = WithoutGraph()
    model.compile("sgd", "binary_crossentropy")
    callback = kp.ScoreCallback(kp.Examples.from_arrays(X, LABELS), ["el2n"])
    with pytest.raises(InputError, match="Several labels an example are not supported"):
        model.fit(X, np.eye(3)[LABELS], callbacks=[callback], verbose=0)


def binary_of_my_own(y, p):
    return keras.losses.categorical_crossentropy(y, p)


@pytest.mark.parametrize("loss", ["binary_crossentropy", binary_of_my_own])
def test_losses_of_a_softmax_are_taken(loss):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss)
    x = np.arange(12, dtype="float32").reshape(6, 2) / 9
    callback = kp.ScoreCallback(kp.Examples.from_arrays(x, LABELS), ["el2n"])
    model.fit(x, np.eye(3)[LABELS], callbacks=[callback], verbose=0)
    assert len(callback.table()) == 6


@pytest.mark.parametrize(("largest", "warns"), [(2**24, False), (2**24 + 1, True)])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_integers_that_a_float_input_rounds(dtype, largest, warns):
    x = np.array([[0], [1], [2], [3], [4], [largest]])
    inputs = keras.Input((1,), dtype=dtype)
    numbers = keras.ops.cast(inputs, "float32") / 2**24
    model = keras.Model(inputs, keras.layers.Dense(3)(numbers))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = kp.ScoreCallback(kp.Examples.from_arrays(x, LABELS), ["el2n"], verify=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, LABELS, callbacks=[callback], verbose=0)
    rounded = [entry for entry in caught if "different numbers become" in str(entry.message)]
    assert len(rounded) == (warns and dtype == "float32")
