"""The closed form of each kind of layer, against one gradient at a time."""

import keras
import numpy as np
import pytest
from keras import layers
from support.gradients import (
    CLASSES,
    Transformer,
    around,
    by_loop,
    data,
    in_closed_form,
    randomize,
    tokens,
)

from keras_pruning.models.heads import as_logits
from keras_pruning.models.networks import MODELS

IMAGE, SEQUENCE, VOLUME = (7, 6, 4), (9, 4), (5, 4, 6, 2)
FIRST = {"data_format": "channels_first"}
LAYERS = {
    "dense": (layers.Dense(5, activation="tanh"), (6,)),
    "dense without bias": (layers.Dense(5, use_bias=False), (6,)),
    "dense of few positions": (layers.Dense(6, activation="relu"), (2, 3, 30)),
    "dense of many positions": (layers.Dense(2), SEQUENCE),
    "einsum": (layers.EinsumDense("abc,cde->abde", (9, 3, 2), "gelu", "de"), SEQUENCE),
    "einsum of two axes": (layers.EinsumDense("abcd,cde->abe", (7, 5), bias_axes="e"), IMAGE),
    "einsum of groups": (layers.EinsumDense("abc,bcd->abd", (9, 2), bias_axes="b"), SEQUENCE),
    "einsum of a sum": (layers.EinsumDense("abc,cd->ad", 3), SEQUENCE),
    "einsum of other orders": (layers.EinsumDense("abcd,ecb->aed", (2, 4), bias_axes="d"), IMAGE),
    "einsum with an ellipsis": (layers.EinsumDense("...x,xy->...y", 3), IMAGE),
    "conv1d": (layers.Conv1D(3, 4, activation="relu"), SEQUENCE),
    "conv1d same, strides": (layers.Conv1D(3, 4, 3, "same"), SEQUENCE),
    "conv1d causal, dilation": (layers.Conv1D(3, 2, padding="causal", dilation_rate=3), SEQUENCE),
    "conv1d of groups": (layers.Conv1D(6, 3, groups=2, padding="same"), SEQUENCE),
    "conv1d, channels first": (layers.Conv1D(3, 2, padding="same", **FIRST), SEQUENCE),
    "conv2d": (layers.Conv2D(5, 3, activation="tanh"), IMAGE),
    "conv2d same, strides": (layers.Conv2D(5, (3, 2), (2, 3), "same"), IMAGE),
    "conv2d valid, strides": (layers.Conv2D(5, 2, (3, 2)), IMAGE),
    "conv2d of long strides": (layers.Conv2D(16, 1, (3, 2), "same"), (7, 6, 16)),
    "conv2d same, dilation": (layers.Conv2D(5, 3, padding="same", dilation_rate=(1, 2)), IMAGE),
    "conv2d of groups": (layers.Conv2D(6, 3, 2, "same", groups=2), IMAGE),
    "conv2d of few positions": (layers.Conv2D(9, 3, 3), IMAGE),
    "conv3d": (layers.Conv3D(3, 2, activation="relu"), VOLUME),
    "conv3d same, strides": (layers.Conv3D(3, (2, 3, 2), (2, 1, 3), "same"), VOLUME),
    "depthwise 1d": (layers.DepthwiseConv1D(3, 2, "same"), SEQUENCE),
    "depthwise 2d": (layers.DepthwiseConv2D(3, 2, "same", 2, activation="relu"), IMAGE),
    "depthwise 2d, dilation": (layers.DepthwiseConv2D(2, dilation_rate=2), IMAGE),
    "separable 1d": (layers.SeparableConv1D(3, 2, padding="same"), SEQUENCE),
    "separable 2d": (layers.SeparableConv2D(5, 3, 2, "same", depth_multiplier=2), IMAGE),
    "batch normalization": (layers.BatchNormalization(), IMAGE),
    "batch normalization, axis": (layers.BatchNormalization(axis=1, scale=False), IMAGE),
    "layer normalization": (layers.LayerNormalization(), SEQUENCE),
    "layer normalization, axes": (layers.LayerNormalization(axis=[1, -1]), IMAGE),
    "group normalization": (layers.GroupNormalization(2), IMAGE),
    "rms normalization": (layers.RMSNormalization(), SEQUENCE),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_the_norms_of_single_gradients(name):
    layer, shape = LAYERS[name]
    x, labels = data(shape)
    # Clone the layer, so that no other test has built it.
    model = around(type(layer).from_config(layer.get_config()), shape)
    expected = by_loop(model, x, labels)
    assert expected.min() > 1e-3
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)


@pytest.mark.parametrize("frozen", ["kernel", "bias"])
def test_a_frozen_weight_does_not_count(frozen):
    x, labels = data(IMAGE)
    layer = layers.Conv2D(3, 3)
    model = around(layer, IMAGE)
    before = by_loop(model, x, labels)
    {"kernel": layer._kernel, "bias": layer.bias}[frozen].trainable = False
    expected = by_loop(model, x, labels)
    assert (expected < before).all()
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_rows_of_an_embedding_that_are_read_twice(dtype):
    x, labels = tokens(8, 5)
    x[0], x[1, :2] = 2, -1
    model = around(layers.Embedding(5, 3), (8,), dtype)
    expected = by_loop(model, x.astype(dtype), labels)
    np.testing.assert_allclose(in_closed_form(model, x.astype(dtype), labels), expected, 5e-6)


SHARED = {
    "dense": layers.Dense(4, activation="tanh"),
    "conv1d": layers.Conv1D(4, 3, padding="same"),
    "layer normalization": layers.LayerNormalization(),
}


@pytest.mark.parametrize("name", SHARED)
def test_a_layer_that_is_called_twice_has_one_gradient(name):
    x, labels = data(SEQUENCE)
    layer = type(SHARED[name]).from_config(SHARED[name].get_config())
    model = around(keras.Sequential([layer, layers.Activation("tanh"), layer]), SEQUENCE)
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)


def test_an_embedding_that_is_called_twice_has_one_gradient():
    x, labels = tokens(6, 5)
    table, ids = layers.Embedding(5, 3), keras.Input((6,), dtype="int32")
    both = layers.Concatenate()([table(ids[:, :4]), table(ids[:, 2:])])
    model = randomize(keras.Model(ids, layers.Dense(CLASSES)(layers.Flatten()(both))))
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)


def test_rows_of_an_example_in_the_batch_axis_are_added():
    """As in windowed attention, and in a dense layer after a reshape."""
    x, labels = data(SEQUENCE)
    inputs = keras.Input(SEQUENCE)
    rows = keras.ops.reshape(inputs, (-1, 4))
    rows = layers.BatchNormalization()(layers.Dense(30, activation="tanh")(rows))
    out = keras.ops.reshape(layers.Dense(30)(rows), (-1, 9 * 30))
    model = randomize(keras.Model(inputs, layers.Dense(CLASSES)(out)))
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) for n in MODELS])
def test_a_built_in_model(name):
    # No narrower: oneDNN's filter gradient of few channels corrupts memory (TensorFlow 2.21).
    x, labels = data((8, 8, 1), count=2)
    model = randomize(MODELS[name]((8, 8, 1), CLASSES, width=16))
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 1e-5)


@pytest.mark.slow
def test_mobilenet():
    x, labels = data((32, 32, 3), count=2)
    model = keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=CLASSES)
    model = as_logits(randomize(model))
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 1e-5)


@pytest.mark.parametrize("length", [6, 4])
def test_a_small_transformer(length):
    """Its positions are the same for all examples, also if they are as many as the examples."""
    x, labels = tokens(length, 9)
    model = Transformer(length)
    model(x)
    randomize(model)
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 1e-5)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_layers_of_few_bits(kind):
    x, labels = data(IMAGE)
    keras.utils.set_random_seed(0)
    policy = f"mixed_{kind}"
    inside = [
        layers.SeparableConv2D(6, 3, dtype=policy),
        layers.BatchNormalization(dtype=policy),
        layers.Conv2D(4, 2, activation="relu", dtype=policy),
        layers.RMSNormalization(dtype=policy),
        layers.Dense(3, dtype=policy),
    ]
    model = around(keras.Sequential(inside), IMAGE)
    expected = by_loop(model, x, labels)
    observed = in_closed_form(model, x, labels)
    np.testing.assert_allclose(observed, expected, {"float16": 5e-3, "bfloat16": 4e-2}[kind])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_last_layer_whose_activation_is_left_out(activation):
    x, labels = data((5,))
    units = 1 if activation == "sigmoid" else CLASSES
    model = keras.Sequential([keras.Input((5,)), layers.Dense(units, activation=activation)])
    model = as_logits(randomize(model))
    labels = labels % 2
    expected = by_loop(model, x, labels)
    np.testing.assert_allclose(in_closed_form(model, x, labels), expected, 5e-6)
