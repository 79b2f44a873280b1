"""Norms of weight gradients of models with and without a closed form."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from support.gradients import CLASSES, by_loop, data, in_closed_form, randomize, tokens

from keras_pruning.backend.tensorflow.weight_gradients import norms
from keras_pruning.backend.tensorflow.weight_gradients.norms import weight_gradient_norms

SEQUENCE = (5, 4)


def ours(model, x, labels):
    function = tf.function(lambda x, labels: weight_gradient_norms(model, x, labels))
    return function(x, labels).numpy()


class OwnDense(layers.Dense):
    def call(self, inputs):
        return 2 * super().call(inputs)


class Reads(layers.Layer):
    """Uses the weight of another layer."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense

    def call(self, inputs):
        return self.dense(inputs) + keras.ops.sum(self.dense.kernel**2)


class InALoop(layers.Layer):
    """Calls a layer in a graph of its own."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, inputs):
        return tf.map_fn(self.dense, inputs)


class Weighted(layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],))

    def call(self, inputs):
        return inputs * self.factor


class MixesExamples(layers.Layer):
    """What an example gives depends on the batch that it is in."""

    def call(self, inputs):
        return inputs * (1 + keras.ops.mean(inputs, axis=0))


def called_itself():
    """A layer whose `call` somebody has replaced."""
    dense = layers.Dense(4)
    dense.build((None, *SEQUENCE))
    call = dense.call
    object.__setattr__(dense, "call", lambda x, training=None: 2 * call(x))
    return dense


def with_lora():
    dense = layers.Dense(4)
    dense.build((None, *SEQUENCE))
    dense.enable_lora(2)
    return dense


WITHOUT = {
    "a subclass": lambda: OwnDense(4),
    "a recurrent layer": lambda: layers.LSTM(4, return_sequences=True),
    "a weight that another layer reads": lambda: Reads(layers.Dense(4)),
    "a layer in a loop": InALoop,
    "a layer of one's own": Weighted,
    "a replaced call": called_itself,
    "lora": with_lora,
    "an activation with weights": lambda: layers.Dense(4, activation=layers.PReLU()),
}


def around(layer, shape=SEQUENCE):
    inputs = keras.Input(shape)
    x = layers.Flatten()(layer(layers.Dense(4, activation="tanh")(inputs)))
    return randomize(keras.Model(inputs, layers.Dense(CLASSES)(x)))


@pytest.mark.parametrize("name", WITHOUT)
def test_models_without_a_closed_form(caplog, name):
    x, labels = data(SEQUENCE)
    caplog.set_level("INFO", "keras_pruning")
    model = around(WITHOUT[name]())
    model(x)  # Keras lists the weight of the activation after the first call.
    expected = by_loop(model, x, labels)
    assert in_closed_form(model, x, labels) is None
    assert "one gradient at a time, which is slow: a " in caplog.text
    np.testing.assert_allclose(ours(model, x, labels), expected, 1e-5)


def test_a_model_that_mixes_examples_is_noticed():
    x, labels = data(SEQUENCE)
    model = around(MixesExamples())
    expected = by_loop(model, x, labels)
    wrong = in_closed_form(model, x, labels)
    assert (np.abs(wrong / expected - 1) > 1e-3).any()
    np.testing.assert_allclose(ours(model, x, labels), expected, 1e-5)


def test_a_closed_form_that_is_not_finite_is_noticed(monkeypatch):
    x, labels = data(SEQUENCE)
    model = around(layers.Dense(4))
    expected = by_loop(model, x, labels)
    least = int(expected[1:].argmin()) + 1
    broken = expected.astype("float32")
    broken[least] = np.nan
    monkeypatch.setattr(norms, "closed_form", lambda *arguments: lambda x, labels: broken)
    np.testing.assert_allclose(ours(model, x, labels), expected, 1e-5)


def test_the_closed_form_is_what_a_model_with_one_gets(monkeypatch):
    x, labels = data(SEQUENCE)
    model = around(layers.Dense(4))
    expected = by_loop(model, x, labels)
    # Within the tolerance, so that only the closed form can have given it
    known = (expected * (1 + 5e-5)).astype("float32")
    monkeypatch.setattr(norms, "closed_form", lambda *arguments: lambda x, labels: known)
    np.testing.assert_allclose(ours(model, x, labels), known, 1e-6)


@pytest.mark.parametrize("group_bytes", [1, 10_000])
def test_groups_of_examples_change_nothing(group_bytes):
    x, labels = data(SEQUENCE, count=7)
    model = around(layers.Conv1D(4, 3))
    expected = in_closed_form(model, x, labels)
    observed = in_closed_form(model, x, labels, group_bytes=group_bytes)
    np.testing.assert_allclose(observed, expected, 1e-6)


def test_models_are_left_as_they_were():
    x, labels = data(SEQUENCE)
    dense = layers.Dense(4, activation="relu")
    for layer, name in ((dense, "dense"), (Reads(dense), "reads")):
        model = around(layer)
        expected = model(x)
        in_closed_form(model, x, labels)
        assert "call" not in vars(dense), name
        assert dense.activation is keras.activations.relu
        np.testing.assert_array_equal(model(x), expected)


def test_inputs_of_several_arrays():
    ids, labels = tokens(5, 7)
    x = {"ids": ids.astype("int32"), "values": data((3,))[0]}
    inputs = {"ids": keras.Input((5,), dtype="int32"), "values": keras.Input((3,))}
    embedded = layers.Flatten()(layers.Embedding(7, 2)(inputs["ids"]))
    both = layers.Concatenate()([embedded, layers.Dense(4)(inputs["values"])])
    for name, tensor in inputs.items():
        tensor.name = name
    model = randomize(keras.Model(inputs, layers.Dense(CLASSES)(both)))
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 1e-5)
    np.testing.assert_allclose(ours(model, x, labels), expected, 1e-5)
