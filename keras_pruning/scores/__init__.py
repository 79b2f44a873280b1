"""Scores: numbers that say how hard each example is. One file for each, and the registry."""

import inspect

from keras_pruning.errors import InputError, unknown
from keras_pruning.scores.score import Score

# A score is registered by its import and its entry in `SCORES`, at the same place in both lists.
# isort: off
from keras_pruning.scores.el2n import EL2N
from keras_pruning.scores.grand import GraNd
from keras_pruning.scores.vog import VoG
from keras_pruning.scores.prediction_depth import PredictionDepth
from keras_pruning.scores.prototype import Prototype
from keras_pruning.scores.forgetting import Forgetting
from keras_pruning.scores.aum import AUM
from keras_pruning.scores.data_maps import Confidence, Variability, Correctness
from keras_pruning.scores.first_learned import FirstLearned
from keras_pruning.scores.loss import Loss
from keras_pruning.scores.uncertainty import Entropy, Margin, LeastConfidence
from keras_pruning.scores.tdds import TDDS
from keras_pruning.scores.dynamic_uncertainty import DynamicUncertainty
from keras_pruning.scores.dual import DUAL
# isort: on

SCORES = {
    "el2n": EL2N,
    "grand": GraNd,
    "vog": VoG,
    "prediction_depth": PredictionDepth,
    "prototype": Prototype,
    "forgetting": Forgetting,
    "aum": AUM,
    "confidence": Confidence,
    "variability": Variability,
    "correctness": Correctness,
    "first_learned": FirstLearned,
    "loss": Loss,
    "entropy": Entropy,
    "margin": Margin,
    "least_confidence": LeastConfidence,
    "tdds": TDDS,
    "dynamic_uncertainty": DynamicUncertainty,
    "dual": DUAL,
}


def get(score):
    """Returns the score called `score`, with its default options, or `score` itself.

    Args:
        score: a name among `SCORES`, a dictionary of a `name` and options, or a `Score`.

    Raises:
        InputError: if there is no such score or option.
    """
    if isinstance(score, Score):
        return score
    name, options = (score, {}) if isinstance(score, str) else (None, score)
    # Copied, because the caller's dictionary keeps its name.
    if isinstance(options, dict) and name is None:
        options = dict(options)
        name = options.pop("name", None)
    if not isinstance(name, str) or name not in SCORES:
        raise unknown("score", name if isinstance(options, dict) else score, SCORES)
    try:
        return SCORES[name](**options)
    # Python's own error for unexpected keyword arguments
    except TypeError as error:
        known_options = list(inspect.signature(SCORES[name]).parameters)
        raise InputError(
            f"Invalid options of the score {name!r}. Expected some of {known_options}. "
            f"Received: {options}"
        ) from error
