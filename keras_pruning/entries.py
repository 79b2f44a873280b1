"""Entries of `scores` and of `sweep.methods` in a config, checked and in one spelling."""

from keras_pruning.arguments import plain, require_fraction, require_seeds
from keras_pruning.errors import InputError
from keras_pruning.selection.embedding import require_embedding
from keras_pruning.selection.methods import (
    description,
    dynamic_entry,
    dynamic_name,
    is_baseline,
    method_name,
)
from keras_pruning.selection.policies import get
from keras_pruning.selection.select import require_no_more

# The key of an entry of `sweep.methods` that prunes while training.
DYNAMIC = "dynamic"


def score_entry(score):
    """Returns an entry of `scores` as a checked dictionary.

    Args:
        score: a name, or a dictionary of `name` and options.

    Raises:
        InputError: if it has no name, or its seeds are invalid.
    """
    score = {"name": score} if isinstance(score, str) else dict(score)
    if not isinstance(score.get("name"), str):
        raise InputError(
            f"Invalid entry of `scores`. Expected a name, or a dictionary with a name. "
            f"Received: {score}"
        )
    if "seeds" in score:
        score["seeds"] = require_seeds(f"scores.{score['name']}.seeds", score["seeds"])
    return plain(score)


def method_entry(method):
    """Returns an entry of `sweep.methods` as a checked dictionary.

    Args:
        method: name of a score, a dictionary of `by`, `policy`, `quota` and `embedding`, or a
            dictionary of `dynamic`, a method that prunes while training.

    Returns:
        Dictionary of every key of a static method, or of `dynamic` alone.

    Raises:
        InputError: if a key, the policy, the quota or the embedding is invalid. Whether there is
            such a dynamic method is checked before a sweep trains.
    """
    keys = {"by": None, "policy": "hardest", "quota": None, "embedding": None}
    method = {"by": method} if isinstance(method, str) else dict(method)
    if set(method) == {DYNAMIC}:
        return {DYNAMIC: dynamic_entry(method[DYNAMIC])}
    if set(method) - set(keys) or not isinstance(method.get("by"), str | None):
        raise InputError(
            "Invalid entry of `sweep.methods`. Expected a score name, a dictionary of by, policy, "
            f"quota and embedding, or a dictionary of dynamic alone. Received: {method}"
        )
    method = plain({**keys, **method})
    # Raise now if the policy, the quota or the embedding is invalid
    describe(method)
    require_embedding(method["embedding"])
    require_no_more(get(method["policy"]), method["by"], method["embedding"])
    return method


def static_methods(methods):
    """Returns the methods of a sweep that select a subset before training."""
    return [method for method in methods if DYNAMIC not in method]


def dynamic_methods(methods):
    """Returns the methods of a sweep that prune while training, as dynamic entries."""
    return [method[DYNAMIC] for method in methods if DYNAMIC in method]


def describe(method):
    """Returns the part of a `selection` that names a static method of a sweep."""
    return description(method["by"], method["policy"], method["quota"])


def require_each_once(methods):
    """Raises an `InputError` if two methods of a sweep have one name, baselines left out.

    A sweep adds random pruning in any case.

    Args:
        methods: list of dictionaries of `method_entry`.
    """
    described = [describe(method) for method in static_methods(methods)]
    names = [method_name(method) for method in described if not is_baseline(method)]
    names += map(dynamic_name, dynamic_methods(methods))
    if len(set(names)) < len(names):
        raise InputError(
            "Invalid `sweep.methods`. Expected each once, with one embedding each. "
            f"Received: {', '.join(names)}"
        )


def fraction_entries(name, fractions):
    """Returns a list of different fractions in (0, 1] as floats.

    Args:
        name: name of the key.
        fractions: list of numbers.

    Raises:
        InputError: if there is none, one comes twice, or one is not in (0, 1].
    """
    checked = [require_fraction(fraction, name) for fraction in fractions]
    if not checked or len(set(checked)) < len(checked):
        raise InputError(
            f"Invalid `{name}`. Expected at least one fraction, each once. Received: {fractions}"
        )
    return checked
