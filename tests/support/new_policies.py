"""A policy and a quota that use everything in their contract, and scores to select by."""

import numpy as np

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.selection import Policy
from keras_pruning.selection.quotas.quota import Quota

OPTIONS = {"name": "outer", "weight": 2}


class Outer(Policy):
    """Keeps the examples far from the mean vector, some weight given to their difficulty."""

    name = "outer"
    needs = ("difficulty", "embedding", "confidence")

    def __init__(self, weight=0.5):
        self.weight = weight

    def require_keep_fraction(self, keep_fraction):
        if keep_fraction > 0.9:
            raise InputError("Invalid `keep_fraction`. Expected at most 0.9. Received: more")

    def choose(self, candidates, count, rng):
        distance = np.linalg.norm(candidates.embedding - candidates.embedding.mean(axis=0), axis=1)
        value = distance + self.weight * candidates.difficulty * candidates.confidence
        return np.lexsort((rng.random(len(candidates)), -value))[:count]


class Floor(Quota):
    """Keeps at least some examples of each class, the rest from the first classes."""

    name = "floor"

    def __init__(self, least=1):
        self.least = least

    def counts(self, available, total, rng):
        counts = np.minimum(available, self.least)
        for label, count in enumerate(available):
            counts[label] += min(count - counts[label], total - counts.sum())
        return counts


def table(examples):
    """Returns scores that nobody measured, of some examples."""
    rng = np.random.default_rng(0)
    scores = {name: rng.random(len(examples), "float32") for name in ("el2n", "confidence")}
    directions = {"el2n": {"higher_is_harder": True}, "confidence": {"higher_is_harder": False}}
    metadata = {"examples": examples.provenance, "scores": directions, "reliability": {}}
    return kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)
