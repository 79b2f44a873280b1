"""Scores as a user gives them to a driver."""

import copy
from collections.abc import Iterable

from keras_pruning import scores as registry
from keras_pruning.errors import InputError


def score_instances(scores):
    """Returns copies of the scores in a list of names and `Score` instances.

    Raises:
        InputError: if the list is empty, has a score twice, or has a class in place of a score.
    """
    if isinstance(scores, str | dict | registry.Score) or not isinstance(scores, Iterable):
        raise InputError(f"Invalid `scores`. Expected a list. Received: scores={scores!r}")
    # A generator can be read only once.
    scores = list(scores)
    for score in scores:
        if isinstance(score, type) and issubclass(score, registry.Score):
            raise InputError(
                "Invalid `scores`. Expected names and instances of scores. Received: the class "
                f"{score.__name__}. Write {score.__name__}() or {score.name!r}."
            )
    # Copies, because a user may give one instance to several runs at a time.
    scores = [copy.copy(registry.get(score)) for score in scores]
    names = [score.name for score in scores]
    if len(set(names)) < len(names) or not names:
        raise InputError(f"Invalid `scores`. Expected at least one, each once. Received: {names}")
    return scores
