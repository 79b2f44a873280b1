"""How hard each example is: one file for each score, and what drives them."""

from keras_pruning.probing.checkpoints import score_checkpoints as score_checkpoints
from keras_pruning.probing.score_callback import ScoreCallback as ScoreCallback
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
from keras_pruning.scores.registry import SCORES as SCORES
from keras_pruning.scores.registry import get as get
from keras_pruning.scores.score import Score as Score
from keras_pruning.scores.tdds import TDDS as TDDS
from keras_pruning.scores.uncertainty import Entropy as Entropy
from keras_pruning.scores.uncertainty import LeastConfidence as LeastConfidence
from keras_pruning.scores.uncertainty import Margin as Margin
from keras_pruning.scores.vog import VoG as VoG
