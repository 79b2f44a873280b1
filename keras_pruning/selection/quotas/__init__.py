"""Class quotas: one file each, and the registry below."""

from keras_pruning.arguments import from_registry
from keras_pruning.selection.quotas.at_least import AtLeast
from keras_pruning.selection.quotas.balanced import Balanced
from keras_pruning.selection.quotas.balanced import balanced as balanced
from keras_pruning.selection.quotas.by_error import ByError
from keras_pruning.selection.quotas.proportional import Proportional
from keras_pruning.selection.quotas.quota import Quota

QUOTAS = {
    "balanced": Balanced,
    "proportional": Proportional,
    "at_least": AtLeast,
    "by_error": ByError,
}


def get(quota):
    """Returns a quota, or `None` for `None`.

    Args:
        quota: a name among `QUOTAS`, a dictionary of a `name` and options, a `Quota`, or `None`.

    Raises:
        InputError: if there is no such quota or option.
    """
    if quota is None:
        return None
    return from_registry("quota", quota, QUOTAS, Quota)
