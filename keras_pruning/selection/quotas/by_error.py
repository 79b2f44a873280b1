"""The quota that keeps more of the classes that a model gets wrong (DRoP)."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.selection.quotas.quota import Quota
from keras_pruning.selection.quotas.shares import shares


class ByError(Quota):
    """Keeps of every class a share in proportion to the error of a model on it (DRoP).

    Formula:
        share_k ∝ 1 − recall_k, at most all examples of the class, the excess redistributed

    Args:
        recalls: list of floats in [0, 1], for each class the part of its examples that a model
            predicts right. Measure it on examples that are held out of training and are not the
            test set.

    Raises:
        InputError: if `recalls` is invalid. `counts` raises it if there is not one for each class.

    Reference:
        Vysogorets et al., DRoP: Distributionally Robust Data Pruning, 2025, algorithm 1
        (arXiv 2404.05579).
    """

    name = "by_error"

    def __init__(self, recalls):
        try:
            array = np.asarray(recalls, np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim != 1 or not array.size or not ((array >= 0) & (array <= 1)).all():
            raise InputError(
                "Invalid `recalls`. Expected a list of numbers in [0, 1], one for each class. "
                f"Received: recalls={recalls!r}"
            )
        self.recalls = array.tolist()

    def counts(self, available, total, rng):
        if len(self.recalls) != len(available):
            raise InputError(
                f"Invalid `recalls`. Expected one for each of {len(available)} classes. "
                f"Received: {len(self.recalls)}"
            )
        return shares(1 - np.asarray(self.recalls), available, total, rng)
