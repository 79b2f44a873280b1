"""Measures how far probes agree on a score, and how many probes are enough."""

import itertools
import math

import numpy as np

from keras_pruning.statistics.ranks import rank_correlation

# Reliability from which more probes hardly change the ranking.
ENOUGH = 0.9
# Most splits to average over. Few probes have fewer splits, and then all are used.
_SPLITS = 20


def split_half(values, seed=0):
    """Returns the rank correlation between the means of two disjoint halves of the probes.

    Args:
        values: floats `(probes, examples)`, the score of each probe, at least two.
        seed: integer that draws the splits if there are more than 20.

    Returns:
        The mean of Spearman's correlation over the splits, or `None` if scores do not vary. If the
        number of probes is odd, each split leaves one out.
    """
    correlations = []
    for first, second in _splits(len(values), seed):
        means = [values[list(half)].mean(axis=0) for half in (first, second)]
        correlation = rank_correlation(*means)
        if correlation is None:
            return None
        correlations.append(correlation)
    return float(np.mean(correlations))


def spearman_brown(correlation, factor):
    """Returns the reliability of `factor` times as many probes as `correlation` was measured with.

    Formula:
        r' = n · r / (1 + (n − 1) · r)

    Reference:
        Spearman, Correlation Calculated from Faulty Data, 1910; Brown, Some Experimental Results
        in the Correlation of Mental Abilities, 1910.
    """
    return factor * correlation / (1 + (factor - 1) * correlation)


def reliability(values):
    """Returns the reliability of the mean of several probes, and the number that is enough.

    Args:
        values: floats `(probes, examples)`, the score of each probe.

    Returns:
        Dictionary of

        - `seeds`: the number of probes S.
        - `split_half`: the rank correlation of two halves of the probes.
        - `spearman_brown`: the reliability of all S probes that follows from it.
        - `seeds_for_0.9`: the smallest number of probes whose mean reaches 0.9, by that formula.

        All but `seeds` are `None` for one probe and for scores that do not vary. The last two are
        `None` if the halves do not agree at all.
    """
    seeds = len(values)
    result = {"seeds": seeds, "split_half": None, "spearman_brown": None, "seeds_for_0.9": None}
    correlation = split_half(values) if seeds > 1 else None
    result["split_half"] = correlation
    if correlation is None or correlation <= 0:
        return result
    # From the reliability of a half to one probe, to all of them and to the number for 0.9
    half = seeds // 2
    one = spearman_brown(correlation, 1 / half)
    result["spearman_brown"] = spearman_brown(correlation, seeds / half)
    needed = ENOUGH * (1 - one) / (one * (1 - ENOUGH))
    # Rounded, or probes that reach exactly 0.9 would need one more.
    result["seeds_for_0.9"] = max(1, math.ceil(round(needed, 9)))
    return result


def _splits(probes, seed):
    """Yields pairs of disjoint halves, tuples of positions: all pairs, or 20 drawn at random."""
    half = probes // 2
    if math.comb(probes, half) * math.comb(probes - half, half) // 2 <= _SPLITS:
        for first in itertools.combinations(range(probes), half):
            rest = [position for position in range(probes) if position not in first]
            for second in itertools.combinations(rest, half):
                # Each pair comes in two orders.
                if first < second:
                    yield first, second
        return
    rng = np.random.default_rng(seed)
    for _ in range(_SPLITS):
        order = rng.permutation(probes)
        yield tuple(order[:half]), tuple(order[half : 2 * half])
