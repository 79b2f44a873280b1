"""Layers that cannot be embedded, and the words of the message."""

import keras
import pytest
import tensorflow as tf
from keras import layers
from support.odd_models import (
    Net,
    X,
    dense,
    ending,
    in_a_branch,
    in_a_function,
    in_a_loop,
    nested,
    net,
    over_time,
)

from keras_pruning import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models.graph import functional_copy
from keras_pruning.models.layers import PENULTIMATE, layer_names, show

IN_A_GRAPH = "a call within a tf.function, a loop or a branch"


def refuses(model, name, received):
    """Checks that `show` refuses the layer, without a graph and in one, with these words."""
    message = f"{name!r} does not give one vector for each.*Expected.*Received: {received}. Name"
    with pytest.raises(InputError, match=message):
        show(model, [name])(X)
    with pytest.raises(InputError, match=message):
        tf.function(show(model, [name]), autograph=False).get_concrete_function(
            tf.TensorSpec((None, 6))
        )


# Keras warns of the block that the model does not call.
@pytest.mark.filterwarnings("ignore:`build..` was called on layer 'net':UserWarning")
@pytest.mark.parametrize(
    ("run", "received"),
    [
        (in_a_function, IN_A_GRAPH),
        (in_a_loop, f"(2 calls of it|{IN_A_GRAPH})"),
        (lambda block, x: block(block(x)), "2 calls of it"),
        (lambda block, x: x, "0 calls of it"),
    ],
)
def test_refuses_layers_not_called_once_in_the_graph(run, received):
    refuses(net(run=run), "block0", received)


def test_refuses_a_layer_in_a_branch():
    shown = show(net(run=in_a_branch), ["block0"])
    with pytest.raises(InputError, match=f"Received: {IN_A_GRAPH}"):
        tf.function(shown, autograph=False)(X)


class Decorated(Net):
    call = tf.function(Net.call)


def test_a_call_under_tf_function_is_refused_with_a_remedy():
    model = Decorated()
    model(X)
    refuses(model, "a", f"(0 calls of it|{IN_A_GRAPH})")
    with pytest.raises(InputError, match="remove @tf.function from the model's `call`"):
        show(model, ["a"])(X)
    assert show(model, [])(X)[1] == {}


def test_refuses_layers_that_are_called_for_every_step_of_time():
    model = over_time()
    refuses(model, "each", "3 calls of it")
    refuses(model, "steps/each", "3 calls of it")
    refuses(model, "lstm_cell", rf"(\d calls of it|{IN_A_GRAPH})")


def test_refuses_layers_with_several_outputs():
    def with_state(inputs):
        h = layers.Reshape((3, 2))(inputs)
        sequence, hidden, _ = layers.LSTM(4, return_state=True, name="lstm")(h)
        shared = dense("shared")
        return shared(shared(sequence + hidden))

    inputs = keras.Input((6,))
    model = keras.Model(inputs, dense("out", 3)(with_state(inputs)))
    refuses(model, "lstm", "2 outputs of it")  # the third one is not used
    refuses(model, "shared", "2 outputs of it")
    inner = keras.Model(inputs, with_state(inputs), name="inner")
    model = keras.Sequential([keras.Input((6,)), inner, dense("out", 3)])
    refuses(model, "lstm", "3 outputs of it")
    refuses(model, "shared", "2 calls of it")


class Unshaped(layers.Layer):
    def call(self, x):
        return tf.boolean_mask(x, x[0] > 0, axis=1)

    def compute_output_spec(self, x):
        return keras.KerasTensor((None, None))


class Outside(layers.Layer):
    """A layer that gives no tensor."""

    def call(self, x):
        return None


@pytest.mark.parametrize(
    ("layer", "received"),
    [
        (Unshaped(name="odd"), r"an output of shape \(None, None\)"),
        (layers.Lambda(lambda x: tf.reduce_sum(x), name="odd"), r"an output of shape \(\)"),
        (Outside(name="odd"), "an output of shape None"),
    ],
)
def test_refuses_outputs_that_are_no_vectors(layer, received):
    class Odd(keras.Model):
        def __init__(self):
            super().__init__()
            self.odd, self.out = layer, dense("out", 3)

        def call(self, x):
            self.odd(x)
            return self.out(x)

    model = Odd()
    model(X)
    with pytest.raises(InputError, match=f"'odd' does not give one vector.*Received: {received}"):
        tf.function(show(model, ["odd"]), autograph=False).get_concrete_function(
            tf.TensorSpec((None, 6))
        )


@pytest.mark.parametrize(
    "build",
    [
        net,
        lambda: functional_copy(net(), ArraySpec((6,))),
        lambda: ending(layers.Dense(3, activation="tanh")),
        lambda: ending(keras.Sequential([dense("hidden"), dense("out", 3)])),
        lambda: keras.Sequential([keras.Input((6,)), layers.Reshape((3, 2)), dense("out")]),
    ],
)
def test_a_penultimate_that_is_not_to_be_seen_is_refused(build):
    message = "Could not find the input of the last layer. Expected.*Received.*Name the `layer`"
    for function in (show, layer_names):
        with pytest.raises(InputError, match=message):
            function(build(), [PENULTIMATE])


class TwoOfAName(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = [dense("twin"), dense("twin")]


@pytest.mark.parametrize(
    ("build", "names", "message"),
    [
        (lambda: nested()[0], ["nope"], r"Unknown layers. Expected.*backbone/first/a"),
        (lambda: nested()[0], ["a", "a"], r"at most once. Received: layers=\['a', 'a'\]"),
        (lambda: nested()[0], 4, "Expected at most 2, the hidden layers to probe. Received: .*=4"),
        (net, ["b"], r"layer 'b'.*2 layers, \['block0/b', 'block1/b'\]. Use the whole path"),
        (TwoOfAName, ["twin"], "layer 'twin'.*2 layers.*unique names"),
        (net, ["nope"], r"Unknown layers. Expected.*'block0/a'.*Received: 'nope'"),
        (net, [3], "Unknown layers.*Received: 3"),
        (lambda: nested()[0], ["nope"], r"among \['[^<]*'\]. Received"),
        (net, None, "Net 'net' does not show the order.*Expected.*`layers`.*among.*'blo"),
        (net, 2, "does not show the order of its layers"),
        (
            lambda: functional_copy(net(), ArraySpec((6,))),
            None,
            r"show the order.*among \['a', 'block0', ",
        ),
    ],
)
def test_refuses_names_that_mean_no_layer_or_several(build, names, message):
    with pytest.raises(InputError, match=message):
        layer_names(build(), names)
