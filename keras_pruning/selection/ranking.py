"""Ranks examples by difficulty."""

import numpy as np

from keras_pruning.errors import InputError


def hardest_first(difficulty, rng):
    """Returns the positions from the hardest example to the easiest, ties in random order.

    It sorts all examples. If their order does not matter, `ranked` is much faster.

    Args:
        difficulty: finite floats `(examples,)`.
        rng: `numpy.random.Generator`.
    """
    return np.lexsort((rng.random(len(difficulty)), -np.asarray(difficulty, np.float64)))


def ranked(difficulty, first, last, rng):
    """Returns the positions of some ranks, the examples of `hardest_first(...)[first:last]`.

    The positions ascend. Nothing is sorted, so that the time is proportional to the number of
    examples.

    Args:
        difficulty: floats `(examples,)`, none NaN.
        first: number of the hardest examples to leave out.
        last: number of the hardest examples down to which to go, at least `first`.
        rng: `numpy.random.Generator` that breaks ties. It draws one number for each example.
    """
    difficulty = np.asarray(difficulty)
    if difficulty.dtype != np.float32:
        difficulty = difficulty.astype(np.float64)
    ties = rng.random(len(difficulty))
    chosen = _hardest(difficulty, ties, last)
    chosen &= ~_hardest(difficulty, ties, first)
    return np.flatnonzero(chosen)


def _hardest(difficulty, ties, count):
    """Returns whether each example is among the `count` hardest, booleans `(examples,)`."""
    if count <= 0 or count >= len(difficulty):
        return np.full(len(difficulty), count > 0)
    place = len(difficulty) - count
    cutoff = np.partition(difficulty, place)[place]
    chosen = difficulty > cutoff
    tied = np.flatnonzero(difficulty == cutoff)
    missing = count - np.count_nonzero(chosen)
    if missing < len(tied):
        tied = tied[_smallest(ties[tied], missing)]
    chosen[tied] = True
    return chosen


def _smallest(values, count):
    """Returns the positions of the `count` smallest values, of equal values the first ones."""
    cutoff = np.partition(values, count - 1)[count - 1]
    below = np.flatnonzero(values < cutoff)
    equal = np.flatnonzero(values == cutoff)
    return np.concatenate([below, equal[: count - len(below)]])


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
