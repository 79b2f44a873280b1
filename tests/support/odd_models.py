"""Models with layers inside others, and of classes of their own."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

X = tf.constant(np.random.default_rng(0).normal(size=(5, 6)), tf.float32)


def dense(name, units=4, **options):
    return layers.Dense(units, name=name, bias_initializer="normal", **options)


def ending(*last):
    stack = [keras.Input((6,)), layers.Reshape((3, 2)), layers.Flatten(), layers.Dropout(0.5)]
    return keras.Sequential([*stack, *last])


def headless(shape, classes):
    """A model without a dense layer at its end."""
    inputs = keras.Input(shape)
    x = layers.Conv2D(classes, 3)(inputs)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def nested():
    """A model in which stands another, in which stand a sequential one and an operation."""
    first = keras.Sequential([dense("a"), layers.ReLU(name="relu")], name="first")
    inner_inputs = keras.Input((6,))
    h = first(inner_inputs)
    b = dense("b")
    backbone = keras.Model(inner_inputs, b(h) + h, name="backbone")
    inputs, a = keras.Input((6,)), dense("a", 6)
    out = dense("out", 3)
    model = keras.Model(inputs, out(backbone(a(inputs))))
    return model, a, first.layers[0], b, out


def over_time():
    """A layer for every step, then a recurrent one."""
    inputs = keras.Input((6,))
    x = layers.Reshape((3, 2))(inputs)
    x = layers.TimeDistributed(dense("each"), name="steps")(x)
    return keras.Model(inputs, dense("out", 3)(layers.LSTM(4, name="lstm")(x)))


class Block(layers.Layer):
    def __init__(self, shared, uses_shared, **options):
        super().__init__(**options)
        self.a, self.b, self.shared, self.uses_shared = dense("a"), dense("b"), shared, uses_shared

    def call(self, x):
        x = self.b(self.a(x))
        return self.shared(x) if self.uses_shared else x


class Net(keras.Model):
    """Layers in attributes, lists and dictionaries, one with two names, one inside two others."""

    def __init__(self, run=lambda block, x: block(x)):
        super().__init__(name="net")
        self.run, self.a, shared = run, dense("a"), dense("shared")
        shared.build((None, 4))
        self.blocks = [Block(shared, number == 1, name=f"block{number}") for number in range(2)]
        self.again, self.drop = self.blocks[0], layers.Dropout(0.5)
        self.others = {"last": dense("last")}
        self.out = dense("out", 3)

    def call(self, x):
        x = self.drop(self.a(x))
        for block in self.blocks:
            x = self.run(block, x)
        return self.out(self.others["last"](x))


def net(**options):
    model = Net(**options)
    model(X)
    return model


def in_a_function(block, x):
    return tf.function(block)(x)


def in_a_loop(block, x):
    return tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, block(x)), [0, x])[1]


def in_a_branch(block, x):
    return tf.cond(tf.reduce_sum(x) > 1e9, lambda: x, lambda: block(x))


def state_of(model):
    """Returns all attributes of a model and of the layers inside it, lists copied."""
    return [
        {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(each).items()
        }
        for each in model._flatten_layers()
    ]
