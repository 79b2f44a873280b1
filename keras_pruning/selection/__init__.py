"""From a score to the kept examples: one file for each family of policies, and class quotas."""

from keras_pruning.selection.policy import Policy as Policy
from keras_pruning.selection.select import POLICIES as POLICIES
from keras_pruning.selection.select import get as get
from keras_pruning.selection.select import select as select
from keras_pruning.selection.subset import Subset as Subset
