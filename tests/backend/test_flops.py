"""Floating-point operations of small models, by hand and against TensorFlow's profiler."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from support import small

from keras_pruning.backend.tensorflow import flops
from keras_pruning.backend.tensorflow.operations import NotCounted, _operations, operations_in
from keras_pruning.examples.array_spec import ArraySpec

BATCH = 8


def sequential(shape, *parts):
    return keras.Sequential([keras.Input(shape), *parts])


def forward(shape, *parts):
    return flops.forward_flops(sequential(shape, *parts), ArraySpec(shape), BATCH)


def products(function, *shapes):
    """Returns the operations of a function of float tensors."""
    specs = [tf.TensorSpec(shape) for shape in shapes]
    graph = tf.function(function).get_concrete_function(*specs)
    return operations_in(graph.graph, graph.outputs)


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        # 2 · inputs · outputs, and one addition of the bias.
        ((10,), layers.Dense(4, use_bias=False), 2 * 10 * 4),
        ((10,), layers.Dense(4), 2 * 10 * 4 + 4),
        ((10,), layers.Dense(4, activation="relu"), 2 * 10 * 4 + 4 + 4),
        # 2 · window · channels in · channels out · places
        ((8, 8, 3), layers.Conv2D(4, 3, use_bias=False), 2 * 9 * 3 * 4 * 36),
        ((8, 8, 3), layers.Conv2D(4, 3, padding="same", use_bias=False), 2 * 9 * 3 * 4 * 64),
        ((8, 8, 3), layers.Conv2D(4, 3, strides=2, use_bias=False), 2 * 9 * 3 * 4 * 9),
        ((8, 8, 3), layers.Conv2D(4, 3, dilation_rate=2, use_bias=False), 2 * 9 * 3 * 4 * 16),
        # Each of two groups has half of both channels.
        ((8, 8, 4), layers.Conv2D(6, 3, groups=2, use_bias=False), 2 * 9 * 2 * 6 * 36),
        ((8, 8, 3), layers.DepthwiseConv2D(3, use_bias=False), 2 * 9 * 3 * 36),
        (
            (8, 8, 3),
            layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            2 * 9 * 6 * 36,
        ),
        ((8, 3), layers.Conv1D(4, 3, use_bias=False), 2 * 3 * 3 * 4 * 6),
        ((4, 4, 4, 2), layers.Conv3D(3, 2, use_bias=False), 2 * 8 * 2 * 3 * 27),
        # Each input is multiplied with each weight of its channel.
        ((4, 4, 2), layers.Conv2DTranspose(3, 3, use_bias=False), 2 * 9 * 2 * 3 * 16),
        ((8, 8, 3), layers.MaxPooling2D(2), 4 * 3 * 16),
        ((8, 8, 3), layers.AveragePooling2D(2), 4 * 3 * 16),
        # One for each element that is averaged.
        ((8, 8, 3), layers.GlobalAveragePooling2D(), 8 * 8 * 3),
        ((8, 8, 3), layers.Flatten(), 0),
        ((5,), layers.Softmax(), 5 * 5),
        ((6, 4), layers.EinsumDense("abc,cd->abd", 3), 2 * 6 * 4 * 3),
    ],
)
def test_a_layer_by_hand(shape, layer, expected):
    if isinstance(layer, layers.EinsumDense):
        layer = layers.EinsumDense("abc,cd->abd", (None, 3))
    assert forward(shape, layer) == expected


def test_batch_normalization_by_hand():
    """In eval mode: a product and a sum for each element, and a few for each channel and batch."""
    channels, elements = 3, 8 * 8 * 3
    found = forward((8, 8, channels), layers.BatchNormalization())
    # The variance plus epsilon, its root, times gamma, the mean times that, beta minus that.
    assert found == 2 * elements + 5 * channels / BATCH


def test_a_training_step_of_dense_layers_by_hand():
    """Forward, then the gradient by the weights, and by the inputs of all layers but the first."""
    model = sequential((10,), layers.Dense(20, use_bias=False), layers.Dense(3, use_bias=False))
    first, second = 2 * 10 * 20, 2 * 20 * 3
    found = flops.training_flops(model, ArraySpec((10,)), BATCH)
    assert 0 <= found - (first + second + first + 2 * second) < 30
    assert flops.forward_flops(model, ArraySpec((10,)), BATCH) == first + second
    # By the input: no gradient by the weights, and the forward pass of a linear model is not needed
    assert flops.input_gradient_flops(model, ArraySpec((10,)), BATCH) == first + second
    of_one = flops.weight_gradient_flops(model, ArraySpec((10,)))
    assert of_one == pytest.approx(found, abs=30)


@pytest.mark.parametrize("layer", ["conv", "strided", "grouped", "depthwise"])
def test_a_training_step_of_convolutions_by_hand(layer):
    """A convolution whose input has a gradient costs three times its forward pass."""
    options = {"padding": "same", "use_bias": False}
    convolution = {
        "conv": layers.Conv2D(4, 3, **options),
        "strided": layers.Conv2D(4, 3, strides=2, **options),
        "grouped": layers.Conv2D(4, 3, groups=2, **options),
        "depthwise": layers.DepthwiseConv2D(3, **options),
    }[layer]
    shape = (8, 8, 4)
    first = layers.Conv2D(4, 1, use_bias=False)
    model = sequential(shape, first, convolution, layers.Flatten(), layers.Dense(2))
    of_convolution = forward(shape, convolution.__class__.from_config(convolution.get_config()))
    places = 16 if layer == "strided" else 64
    of_first, of_dense = 2 * 4 * 4 * 64, 2 * 4 * places * 2
    expected = 2 * of_first + 3 * of_convolution + 3 * of_dense
    found = flops.training_flops(model, ArraySpec(shape), BATCH)
    # The bias, the loss and its gradient
    assert 0 <= found - expected < 60


def test_a_frozen_layer_has_no_gradient_of_its_weights():
    first = layers.Dense(20, use_bias=False, trainable=False)
    model = sequential((10,), first, layers.Dense(3, use_bias=False))
    found = flops.training_flops(model, ArraySpec((10,)), BATCH)
    assert 0 <= found - (2 * 10 * 20 + 2 * 2 * 20 * 3) < 30


def test_against_the_profiler_of_tensorflow():
    """It has rules of its own for these operations.

    Its rule for the gradients of convolutions takes the size of the image divided by the strides
    for that of the result, which is true with padding.
    """
    examples = small.random_images(8)
    options = {"padding": "same", "use_bias": False}
    parts = [layers.Conv2D(6, 3, strides=2, **options), layers.Conv2D(5, 2, **options)]
    head = [layers.Flatten(), layers.Dense(7, use_bias=False), layers.Dense(3, use_bias=False)]
    model = sequential(examples.shape, *parts, *head)
    weights = [weight.value for weight in model.trainable_weights]

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(model(x, training=True))
        return tape.gradient(total, [x, *weights])

    graph = gradients.get_concrete_function(tf.TensorSpec((8, *examples.shape)))
    options = tf.compat.v1.profiler.ProfileOptionBuilder
    kinds = ["MatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"]
    chosen = options(options.float_operation()).with_empty_output()
    chosen = chosen.with_accounted_types([f".*{kind}$" for kind in kinds]).build()
    profile = tf.compat.v1.profiler.profile(graph.graph, cmd="op", options=chosen)
    ours = [
        _operations(graph.graph, operation)
        for operation in graph.graph.get_operations()
        if operation.type in kinds
    ]
    assert profile.total_float_ops == sum(ours)
    assert len(ours) == 12


def test_products_of_matrices_by_hand():
    assert products(tf.matmul, (3, 4), (4, 5)) == 2 * 3 * 4 * 5
    transposed = products(lambda a, b: tf.matmul(a, b, transpose_a=True), (4, 3), (4, 5))
    assert transposed == 2 * 3 * 4 * 5
    assert products(tf.matmul, (2, 3, 4), (2, 4, 5)) == 2 * 2 * 3 * 4 * 5
    adjoint = products(lambda a, b: tf.matmul(a, b, adjoint_a=True), (2, 4, 3), (2, 4, 5))
    assert adjoint == 2 * 2 * 3 * 4 * 5
    assert products(lambda a, b: tf.einsum("abc,cd->ad", a, b), (2, 3, 4), (4, 5)) == 240
    assert products(lambda a: tf.add_n([a, a, a]), (6,)) == 12
    # Neither results that nobody reads nor integers count.
    assert products(lambda a: (tf.matmul(a, a), a + 1)[1], (3, 3)) == 9
    assert products(lambda a: tf.cast(a, "int32") * 2, (3,)) == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda a: tf.while_loop(lambda b: tf.reduce_sum(b) < 9, lambda b: (b + 1,), [a])[0],
        lambda a: tf.linalg.inv(a),
        lambda a: tf.numpy_function(np.sin, [a], tf.float32),
        lambda a: tf.einsum("...b,bc->...c", a, a),
        lambda a: tf.map_fn(lambda row: row * 2, a),
    ],
)
def test_anything_else_is_not_counted(function):
    with pytest.raises(NotCounted):
        products(function, (3, 3))


def test_a_model_with_a_loop_has_no_count():
    model = sequential((5, 2), layers.LSTM(3), layers.Dense(2))
    spec = ArraySpec((5, 2))
    assert flops.forward_flops(model, spec, BATCH) is None
    assert flops.training_flops(model, spec, BATCH) is None


def test_functions_in_the_graph_are_counted():
    @tf.function
    def inner(x):
        return tf.matmul(x, x)

    assert products(lambda a: inner(a) + inner(a), (3, 3)) == 2 * 54 + 9


def test_a_model_of_several_inputs_and_tokens():
    tokens = keras.Input((7,), dtype="int32", name="tokens")
    number = keras.Input((2,), name="number")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(50, 8)(tokens))
    outputs = layers.Dense(3, use_bias=False)(layers.Concatenate()([x, number]))
    model = keras.Model({"tokens": tokens, "number": number}, outputs)
    spec = {"tokens": ArraySpec((7,), "int32"), "number": ArraySpec((2,))}
    assert flops.forward_flops(model, spec, BATCH) == 7 * 8 + 2 * 10 * 3
    assert flops.training_flops(model, spec, BATCH) > 7 * 8 + 3 * 2 * 10 * 3


def test_counting_changes_nothing():
    """Neither weights and moving averages nor random states and streams."""
    examples = small.random_images()
    model = small.network(examples)
    model.layers[0].activity_regularizer = keras.regularizers.L2(0.1)
    small.fit(model, examples, epochs=1)
    before = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    states = [keras.ops.convert_to_numpy(part.state) for part in generators(model)]
    keras.utils.set_random_seed(3)
    expected = (np.random.random(), tf.random.uniform(()).numpy())
    keras.utils.set_random_seed(3)
    assert flops.training_flops(model, examples.spec, BATCH) > 0
    assert flops.forward_flops(model, examples.spec, BATCH) > 0
    assert flops.weight_gradient_flops(model, examples.spec) > 0
    assert flops.input_gradient_flops(model, examples.spec, BATCH) > 0
    assert (np.random.random(), tf.random.uniform(()).numpy()) == expected
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    for part, value in zip(generators(model), states, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(part.state), value)
    assert len(states) == 1
    # No tensors of the traced graph stay behind.
    assert model.losses == []


def generators(model):
    return [layer.seed_generator for layer in model.layers if hasattr(layer, "seed_generator")]
