"""How hard each example is: one file for each score, and what drives them."""

from keras_pruning.scores.checkpoints import score_checkpoints as score_checkpoints
from keras_pruning.scores.el2n import EL2N as EL2N
from keras_pruning.scores.prediction_depth import PredictionDepth as PredictionDepth
from keras_pruning.scores.registry import SCORES as SCORES
from keras_pruning.scores.registry import get as get
from keras_pruning.scores.score import Score as Score
from keras_pruning.scores.score_callback import ScoreCallback as ScoreCallback
from keras_pruning.scores.vog import VoG as VoG
