"""The share of examples that a dynamic method will see, from simulated losses."""

import numpy as np

from keras_pruning.training import dynamic
from keras_pruning.training.dynamic.checks import checked_choice

# Examples of the simulation.
_MOST = 2000


def expected_share(entry, examples, epochs):
    """Returns the share of examples that a dynamic method sees, of those that all epochs have.

    Methods that choose by the loss get random losses with an exponential distribution, which is
    skewed like those of a model in training.

    Args:
        entry: dynamic entry, a dictionary of a name and options.
        examples: `Examples` to train on.
        epochs: number of epochs.
    """
    part = examples.at(np.arange(min(_MOST, len(examples))))
    rng = np.random.default_rng(0)
    method = dynamic.get(entry, part, epochs)
    losses, seen = np.full(len(part), np.inf, np.float32), 0
    for epoch in range(method.fit_epochs):
        chosen = method.choose(epoch, losses, rng)
        rows, _ = checked_choice(chosen, len(part), type(method).__name__)
        seen += len(rows)
        losses[rows] = rng.exponential(size=len(rows))
    return seen / (epochs * len(part))
