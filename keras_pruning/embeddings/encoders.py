"""Loads the model of a `.keras` file that embeds the examples."""

import random

from keras_pruning.errors import InputError
from keras_pruning.models import loading


def encoder(path, examples):
    """Loads the model of a `.keras` file in safe mode and checks that it embeds `examples`.

    Raises:
        InputError: if the file cannot be loaded, or if the model does not accept the examples or
            does not return one tensor of known shape.
    """
    # Keras draws the seeds of layers from this state. Loading must not change later draws.
    state = random.getstate()
    try:
        model = loading.load(path)
    finally:
        random.setstate(state)
    try:
        output = loading.output_for_zeros(model, examples.spec)
    except InputError as error:
        raise InputError(f"Cannot use the embedding {path}. {error}") from error
    shape = getattr(output, "shape", None)
    if shape is None or not len(shape) or shape[0] != 1:
        received = f"{len(output)} outputs" if shape is None else f"an output of shape {shape}"
        raise InputError(
            f"The model of the embedding {path} does not return one vector for each example. "
            f"Expected one output of shape (examples, ...). Received: {received} for one example"
        )
    return model
