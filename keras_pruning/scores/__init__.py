"""Scores: numbers that say how hard each example is. One file for each, and the registry."""

import importlib

from keras_pruning.arguments import from_registry
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
    return from_registry("score", score, SCORES, Score)


# Names that were public here before the drivers got a folder of their own.
_MOVED = {"ScoreCallback": "score_callback", "score_checkpoints": "checkpoints"}


def __getattr__(name):
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"keras_pruning.probing.{_MOVED[name]}"), name)
