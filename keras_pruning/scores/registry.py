"""The scores there are, by name."""

from keras_pruning.errors import InputError, unknown
from keras_pruning.scores.el2n import EL2N
from keras_pruning.scores.prediction_depth import PredictionDepth
from keras_pruning.scores.score import Score
from keras_pruning.scores.vog import VoG

SCORES = {
    "el2n": EL2N,
    "vog": VoG,
    "prediction_depth": PredictionDepth,
}


def get(score):
    """The score called `score`, with its default options, or `score` itself.

    Args:
        score: a name among `SCORES`, a dictionary of a `name` and options, or a `Score`.

    Raises:
        InputError: if there is no such score or option.
    """
    if isinstance(score, Score):
        return score
    name, options = (score, {}) if isinstance(score, str) else (None, score)
    if isinstance(options, dict) and name is None:
        options = dict(options)
        name = options.pop("name", None)
    if not isinstance(name, str) or name not in SCORES:
        raise unknown("score", name if isinstance(options, dict) else score, SCORES)
    try:
        return SCORES[name](**options)
    except TypeError as error:
        raise InputError(f"Invalid options of the score {name!r}: {error}") from error
