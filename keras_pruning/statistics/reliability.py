"""How far the scores of different probes agree: are there enough of them?"""

import itertools
import math

import numpy as np

from keras_pruning.statistics.ranks import rank_correlation

ENOUGH = 0.9
_SPLITS = 20


def split_half(values, seed=0):
    """The rank correlation between the means of two disjoint halves of the probes.

    Args:
        values: floats `(probes, examples)`, the score of each probe, at least two.
        seed: integer; draws the splits where there are more than 20.

    Returns:
        The mean of Spearman's correlation over the splits, or `None` where scores do not vary. Of
        an odd number of probes, one is left out of each split.
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
    """The reliability of `factor` times as many probes as `correlation` was found with.

    Formula:
        r' = n · r / (1 + (n − 1) · r)

    Reference:
        Spearman, Correlation Calculated from Faulty Data, 1910; Brown, Some Experimental Results
        in the Correlation of Mental Abilities, 1910.
    """
    return factor * correlation / (1 + (factor - 1) * correlation)


def reliability(values):
    """How reliable the mean of several probes is, and how many would be enough.

    Args:
        values: floats `(probes, examples)`, the score of each probe.

    Returns:
        Dictionary of `seeds`, the number of probes S; `split_half`, the rank correlation of two
        halves; `spearman_brown`, what follows for all S; `seeds_for_0.9`, the smallest number of
        probes whose mean reaches 0.9, by the same formula. `None` where it cannot be said: of one
        probe, of scores that do not vary, and the last two where the halves do not agree at all.
    """
    seeds = len(values)
    found = {"seeds": seeds, "split_half": None, "spearman_brown": None, "seeds_for_0.9": None}
    correlation = split_half(values) if seeds > 1 else None
    found["split_half"] = correlation
    if correlation is None or correlation <= 0:
        return found
    half = seeds // 2
    one = spearman_brown(correlation, 1 / half)
    found["spearman_brown"] = spearman_brown(correlation, seeds / half)
    # Rounded, or 0.9 itself would need one probe more than it has.
    needed = ENOUGH * (1 - one) / (one * (1 - ENOUGH))
    found["seeds_for_0.9"] = max(1, math.ceil(round(needed, 9)))
    return found


def _splits(probes, seed):
    """Pairs of disjoint halves, as tuples of positions: all of them, or 20 drawn at random."""
    half = probes // 2
    if math.comb(probes, half) * math.comb(probes - half, half) // 2 <= _SPLITS:
        for first in itertools.combinations(range(probes), half):
            rest = [position for position in range(probes) if position not in first]
            for second in itertools.combinations(rest, half):
                if first < second:
                    yield first, second
        return
    rng = np.random.default_rng(seed)
    for _ in range(_SPLITS):
        order = rng.permutation(probes)
        yield tuple(order[:half]), tuple(order[half : 2 * half])
