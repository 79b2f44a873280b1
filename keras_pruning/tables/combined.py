"""The score of several probes together, and its standard error."""

import itertools

import numpy as np

# Values that are combined at a time, in float64.
_BLOCK = 2**20


def combined(values, summed):
    """Returns the mean or the sum of a score over probes, and its standard error.

    Args:
        values: float32 `(probes, examples)`.
        summed: whether to return the sum.

    Returns:
        Tuple of float32 `(examples,)`, read-only, and its standard error alike, `None` for a
        single probe. Both are computed in float64.
    """
    probes, examples = values.shape
    # A sum is the mean times the number of probes, and so is its standard error.
    count = probes if summed else 1
    score, error = np.empty(examples, np.float32), np.empty(examples, np.float32)
    # A number beyond float32 becomes infinite, which the table refuses
    with np.errstate(over="ignore"):
        for rows in _blocks(probes, examples):
            part = values[:, rows]
            score[rows] = part.mean(axis=0, dtype=np.float64) * count
            if probes > 1:
                deviation = part.std(axis=0, ddof=1, dtype=np.float64)
                error[rows] = deviation / probes**0.5 * count
    score.flags.writeable = error.flags.writeable = False
    return score, error if probes > 1 else None


def _blocks(probes, examples):
    """Returns slices of the examples, none of them of one example beside others.

    NumPy adds the values of a single column in another order, pairwise.
    """
    number = max(1, probes * examples // _BLOCK)
    ends = np.linspace(0, examples, number + 1).astype(int)
    return [slice(start, end) for start, end in itertools.pairwise(ends)]
