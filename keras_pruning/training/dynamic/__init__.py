"""Pruning while training: one file for each method, and the registry below.

Every method decides at the start of each epoch which examples that epoch trains on. No scores are
taken beforehand: the losses come from the training step itself.
"""

import inspect

from keras_pruning.errors import InputError, unknown
from keras_pruning.training.dynamic.infobatch import InfoBatch
from keras_pruning.training.dynamic.orderdp import OrderDP
from keras_pruning.training.dynamic.pruning import DynamicPruning
from keras_pruning.training.dynamic.rs2 import RS2
from keras_pruning.training.dynamic.seta import SeTa
from keras_pruning.training.dynamic.shortened import Shortened

METHODS = {
    "rs2": RS2,
    "infobatch": InfoBatch,
    "seta": SeTa,
    "orderdp": OrderDP,
    "shortened": Shortened,
}

__all__ = ["METHODS", "DynamicPruning", *(cls.__name__ for cls in METHODS.values())]


def get(method, examples, epochs, seed=0):
    """Returns a method for one training run.

    Args:
        method: a name among `METHODS`, or a dictionary of a `name` and options.
        examples: `Examples` to train on.
        epochs: number of epochs of the run.
        seed: integer >= 0.

    Raises:
        InputError: if there is no such method or option.
    """
    options = dict(method) if isinstance(method, dict) else {"name": method}
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in METHODS:
        raise unknown("dynamic method", method if name is None else name, METHODS)
    known = [
        option
        for option in inspect.signature(METHODS[name]).parameters
        if option not in ("examples", "epochs", "seed", "common")
    ]
    known.append("loss")
    if set(options) - set(known):
        raise InputError(
            f"Invalid options of the dynamic method {name!r}. Expected some of {known}. "
            f"Received: {options}"
        )
    return METHODS[name](examples, epochs, seed=seed, **options)
