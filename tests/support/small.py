"""Small data, models and commands that several tests share."""

import keras
import numpy as np

import keras_pruning as kp
from keras_pruning import cli


def digits(count=120, seed=0):
    """A stratified part of the digits."""
    return kp.load_examples("digits", fraction=count / 1437, seed=seed)


def random_images(count=50, shape=(8, 8, 1), classes=3, seed=0):
    """Random images with random labels."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, *shape)).astype("float32")
    return kp.Examples.from_arrays(x, np.arange(count) % classes)


def network(examples, seed=0):
    """A network with everything that could change while it is looked at."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input(examples.shape),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv"),
            keras.layers.BatchNormalization(momentum=0.5, name="norm"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(examples.num_classes, name="logits"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


class Rates(keras.callbacks.Callback):
    """Remembers the learning rate of each step, in `rates`."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def fit(model, examples, epochs=3, callbacks=(), seed=0):
    """A plain fit, as a user writes it."""
    batches = examples.batches(32, shuffle=True, seed=seed)
    return model.fit(batches, epochs=epochs, callbacks=list(callbacks), verbose=0, shuffle=False)


def compiled(model, learning_rate=0.05, **options):
    """The model, compiled with plain gradient descent."""
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **options,
    )
    return model


def plain_network(examples):
    """A network that says the same in training as in eval mode."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input(examples.shape), keras.layers.Flatten()]
    layers += [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def run(*arguments):
    """The exit code of a command."""
    return cli.main([str(argument) for argument in arguments])
