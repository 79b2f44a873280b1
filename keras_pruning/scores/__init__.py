"""Scores: how hard each example is. One file for each score, and the registry below."""

import inspect

from keras_pruning.errors import InputError, unknown
from keras_pruning.scores.aum import AUM as AUM
from keras_pruning.scores.data_maps import Confidence as Confidence
from keras_pruning.scores.data_maps import Correctness as Correctness
from keras_pruning.scores.data_maps import Variability as Variability
from keras_pruning.scores.dual import DUAL as DUAL
from keras_pruning.scores.dynamic_uncertainty import DynamicUncertainty as DynamicUncertainty
from keras_pruning.scores.el2n import EL2N as EL2N
from keras_pruning.scores.first_learned import FirstLearned as FirstLearned
from keras_pruning.scores.forgetting import Forgetting as Forgetting
from keras_pruning.scores.grand import GraNd as GraNd
from keras_pruning.scores.loss import Loss as Loss
from keras_pruning.scores.prediction_depth import PredictionDepth as PredictionDepth
from keras_pruning.scores.prototype import Prototype as Prototype
from keras_pruning.scores.score import Score as Score
from keras_pruning.scores.tdds import TDDS as TDDS
from keras_pruning.scores.uncertainty import Entropy as Entropy
from keras_pruning.scores.uncertainty import LeastConfidence as LeastConfidence
from keras_pruning.scores.uncertainty import Margin as Margin
from keras_pruning.scores.vog import VoG as VoG

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
        options_there_are = list(inspect.signature(SCORES[name]).parameters)
        raise InputError(
            f"Invalid options of the score {name!r}. Expected some of {options_there_are}. "
            f"Received: {options}"
        ) from error
