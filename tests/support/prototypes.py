"""Embeddings and distances to class means, computed layer by layer."""

import keras
import numpy as np


def inputs(examples):
    return examples.stored_inputs(np.arange(len(examples)))


def hidden(model, examples, name="hidden"):
    """Returns the output of a layer, computed layer by layer."""
    x = inputs(examples)
    for layer in model.layers:
        x = layer(x, training=False)
        if layer.name == name:
            return np.float64(x).reshape(len(examples), -1)


def to_class_means(vectors, labels, of=None):
    of = (vectors, labels) if of is None else of
    means = np.stack([of[0][of[1] == label].mean(axis=0) for label in range(10)])
    return np.linalg.norm(vectors - means[labels], axis=1)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.hidden = keras.layers.Dense(6, activation="relu", name="hidden")
        self.out = keras.layers.Dense(10)

    def call(self, x):
        return self.out(self.hidden(self.flatten(x)))
