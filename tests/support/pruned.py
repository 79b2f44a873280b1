"""A small model that a dynamic method prunes."""

import keras

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network(seed=0):
    """A linear model of digits, with the weights of a seed."""
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def compiled(pruning):
    """The model, recorded and compiled with a schedule that follows the run."""
    model = pruning.recording(network())
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    model.compile(keras.optimizers.SGD(pruning.follow(schedule, 100), momentum=0.9), LOSS)
    return model
