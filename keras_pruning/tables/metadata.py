"""Checks of the metadata of tables, which another program may have written."""

import numbers

from keras_pruning.arguments import kind_of
from keras_pruning.errors import InputError
from keras_pruning.storage import require_name

# Types of the entries that this package reads. Any other entry may be anything.
_TYPES = {
    "examples": dict,
    "examples.split": str,
    "examples.fraction": numbers.Real,
    "support": dict | None,
    "scores": dict,
    "reliability": dict,
    "recipe": dict | None,
    "extrapolation": dict | None,
    "extrapolation.fraction": numbers.Real,
    "extrapolation.scores": dict,
    "selection": dict,
    "table": str,
}
_SCORE_TYPES = {
    "higher_is_harder": bool,
    "over_seeds": str | None,
    "mode": str | None,
    "epochs": list | tuple | None,
    "probe_accuracy": dict,
    "accuracy_by_depth": list,
}


def require_metadata(metadata):
    """Raises an `InputError` unless every known entry of the metadata has its type.

    Args:
        metadata: the metadata of a `ScoreTable` or a `Subset`.
    """
    _require("", metadata, dict)
    for name, expected in _TYPES.items():
        section, _, key = name.rpartition(".")
        values = (metadata.get(section) or {}) if section else metadata
        if key in values:
            _require(name, values[key], expected)
    for score, recorded in metadata.get("scores", {}).items():
        require_name("score", score)
        _require(f"scores.{score}", recorded, dict)
        for key, expected in _SCORE_TYPES.items():
            if key in recorded:
                _require(f"scores.{score}.{key}", recorded[key], expected)
        # Any other word would be taken for the mean.
        if recorded.get("over_seeds") not in (None, "mean", "sum"):
            raise _invalid(f"scores.{score}.over_seeds", recorded["over_seeds"], "'mean' or 'sum'")
    for score, measured in metadata.get("reliability", {}).items():
        _require(f"reliability.{score}", measured, dict | None)


def require_directions(scores, higher_is_harder):
    """Raises an `InputError` unless each score has a direction.

    Args:
        scores: dictionary with the names of the scores.
        higher_is_harder: dictionary from the same names to booleans.
    """
    if not isinstance(scores, dict) or not scores:
        raise InputError(
            "Invalid `scores`. Expected a dictionary from names to numbers (examples,), with at "
            f"least one score. Received: {kind_of(scores)}"
        )
    directions = higher_is_harder if isinstance(higher_is_harder, dict) else {}
    is_complete = directions.keys() == scores.keys()
    if not is_complete or not all(isinstance(value, bool) for value in directions.values()):
        raise InputError(
            "Invalid `higher_is_harder`. Expected True or False for each score, whether a higher "
            f"value means a harder example: {list(scores)}. Received: {higher_is_harder!r}"
        )


def _require(name, value, expected):
    # A boolean is a number in Python.
    is_boolean = isinstance(value, bool) and expected is not bool
    if is_boolean or not isinstance(value, expected):
        words = getattr(expected, "__name__", str(expected))
        raise _invalid(name, value, {"dict": "a dictionary", "Real": "a number"}.get(words, words))


def _invalid(name, value, expected):
    return InputError(
        f"Invalid metadata{f' `{name}`' if name else ''}. Expected {expected}. "
        f"Received: {repr(value)[:80]}"
    )
