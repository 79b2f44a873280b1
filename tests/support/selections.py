"""Tables, embeddings and options with which every policy and quota of the registries can run."""

import inspect

import numpy as np

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.selection import POLICIES, QUOTAS, Policy, get
from keras_pruning.selection.candidates import CONFIDENCE, DIFFICULTY, EMBEDDING

# Options without a default, by their names, for any number of classes.
REQUIRED = {"recalls": lambda classes: list(np.linspace(0.9, 0.2, classes))}


def table(scores, labels=None, higher_is_harder=True, confidence=None):
    """A table of the score `s` and the score `confidence`."""
    scores = np.asarray(scores, "float32")
    labels = np.zeros(len(scores), int) if labels is None else labels
    confidence = np.full(len(scores), 0.5) if confidence is None else confidence
    directions = {"s": higher_is_harder, CONFIDENCE: False}
    metadata = {
        "examples": {"fingerprint": "f"},
        "scores": {name: {"higher_is_harder": value} for name, value in directions.items()},
    }
    ids = [f"id-{row}" for row in range(len(scores))]
    return kp.ScoreTable(ids, labels, {"s": scores, CONFIDENCE: confidence}, metadata=metadata)


def quota_of(name, classes):
    """An instance of a registered quota, or `None`."""
    if name is None:
        return None
    parameters = inspect.signature(QUOTAS[name]).parameters.values()
    options = {
        parameter.name: REQUIRED[parameter.name](classes)
        for parameter in parameters
        if parameter.default is parameter.empty
    }
    return QUOTAS[name](**options)


def accepts(policy, keep_fraction):
    """Whether a policy can keep a fraction."""
    try:
        get(policy).require_keep_fraction(keep_fraction)
    except InputError:
        return False
    return True


def shortens(policy):
    """Whether some examples are never kept by a policy."""
    return type(get(policy)).shortlist is not Policy.shortlist


def select(data, keep_fraction, policy, quota=None, seed=0, embedding=None):
    """Selects by the score `s` and, if the policy needs one, by an embedding."""
    policy, quota = get(policy), quota_of(quota, int(data.labels.max()) + 1)
    by = "s" if DIFFICULTY in policy.needs else None
    if EMBEDDING not in policy.needs:
        embedding = None
    elif embedding is None:
        embedding = vectors(len(data))
    return kp.select(data, by, keep_fraction, policy, quota, seed, embedding)


def vectors(count, dimensions=4):
    """Random vectors, of which no two are equal."""
    return np.random.default_rng(1).normal(size=(count, dimensions)) / 2


EVERY = list(POLICIES)
EVERY_QUOTA = [None, *QUOTAS]
