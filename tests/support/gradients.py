"""The norms of weight gradients, taken one by one, and models that test their closed forms."""

import keras
import numpy as np
import tensorflow as tf

from keras_pruning.backend.tensorflow.weight_gradients.closed_form import closed_form

COUNT, CLASSES = 4, 3


def by_loop(model, x, labels, variables=None):
    """‖∇ CE‖ of each example by an eager loop, the norm in float64."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables = model.trainable_variables if variables is None else variables
    norms = []
    for row, label in enumerate(labels):
        one = tf.nest.map_structure(lambda part, row=row: part[row : row + 1], x)
        with tf.GradientTape() as tape:
            logits = tf.cast(model(one, training=False), "float32")
            value = loss(np.array([label]), logits)
        gradients = tape.gradient(value, [variable.value for variable in variables])
        flat = [np.ravel(tf.convert_to_tensor(g)) for g in gradients if g is not None]
        norms.append(np.linalg.norm(np.concatenate(flat).astype(float)))
    return np.array(norms)


def in_closed_form(model, x, labels, **options):
    """The same norms by the closed form, or `None`."""
    function = closed_form(model, tf.nest.map_structure(tf.constant, x), labels, **options)
    return None if function is None else tf.function(function)(x, labels).numpy()


def data(shape, count=COUNT, seed=0):
    """Returns floats `(count, *shape)` and labels."""
    x = np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")
    return x, np.arange(count) % CLASSES


def tokens(length, vocabulary, count=COUNT, seed=0):
    """Returns integers `(count, length)` and labels."""
    x = np.random.default_rng(seed).integers(0, vocabulary, size=(count, length))
    return x, np.arange(count) % CLASSES


def randomize(model, seed=0):
    """Gives all weights values that no initializer has, so that no term vanishes."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "variance" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif "seed" not in weight.path:
            # Small enough for losses of a usual size
            rows = max(np.prod(weight.shape[:-1]), 4)
            weight.assign(rng.normal(0, rows**-0.5, weight.shape))
    return model


def around(layer, shape, dtype="float32"):
    """Returns a model of a layer and a frozen head, so that only the layer's weights count."""
    inputs = keras.Input(shape, dtype=dtype)
    x = keras.layers.Flatten()(layer(inputs))
    head = keras.layers.Dense(CLASSES, dtype="float32")
    model = keras.Model(inputs, head(x))
    head.trainable = False
    return randomize(model)


class Transformer(keras.Model):
    """A small one, with the embedding of positions that Keras' examples have."""

    def __init__(self, length=6, vocabulary=9, width=8, heads=2, **options):
        super().__init__(**options)
        layers = keras.layers
        self.length = length
        self.tokens = layers.Embedding(vocabulary, width)
        self.positions = layers.Embedding(length, width)
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.norms = [layers.LayerNormalization() for _ in range(2)]
        self.hidden = layers.Dense(2 * width, activation="gelu")
        self.out = layers.Dense(width)
        self.pool = layers.GlobalAveragePooling1D()
        self.logits = layers.Dense(CLASSES)

    def call(self, x):
        x = self.tokens(x) + self.positions(keras.ops.arange(self.length))
        x = self.norms[0](x + self.attention(x, x))
        x = self.norms[1](x + self.out(self.hidden(x)))
        return self.logits(self.pool(x))
