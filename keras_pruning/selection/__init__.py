"""Selection: from scores to the kept examples. One file per policy and per class quota."""

from keras_pruning.selection.policies import POLICIES as POLICIES
from keras_pruning.selection.policies import get as get
from keras_pruning.selection.policy import Policy as Policy
from keras_pruning.selection.quotas import QUOTAS as QUOTAS
from keras_pruning.selection.select import select as select
from keras_pruning.selection.subset import Subset as Subset
