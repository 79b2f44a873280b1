"""Ranks examples by difficulty."""

import numpy as np

from keras_pruning.errors import InputError


def hardest_first(difficulty, rng):
    """Returns the positions from the hardest example to the easiest, ties in random order.

    Args:
        difficulty: floats `(examples,)`.
        rng: `numpy.random.Generator`.
    """
    return np.lexsort((rng.random(len(difficulty)), -np.asarray(difficulty, np.float64)))


def require_no_negative(policy, difficulty):
    """Raises an `InputError` if a difficulty that a policy uses as a weight is negative.

    Args:
        policy: name of the policy.
        difficulty: floats `(examples,)`.
    """
    if len(difficulty) and np.min(difficulty) < 0:
        raise InputError(
            f"The policy {policy!r} uses the difficulty as a weight. Expected a score that is "
            "harder the higher it is, and never negative, such as el2n, dual or forgetting. "
            f"Received: a difficulty of {np.min(difficulty):g}. Choose another score."
        )
