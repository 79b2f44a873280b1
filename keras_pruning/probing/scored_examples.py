"""The examples that a plan scores, and those that its probes train on."""

import warnings

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.examples.splits import Splits


class ScoredExamples:
    """The examples of a score table, those that probes score and those that probes train on.

    Args:
        splits: `Splits`.
        split: `"train"` to score the examples that probes train on, `"test"` to score the test
            examples.
        fraction: part of the training examples, drawn stratified, that probes train on and score.
            The scores of the others are estimated from their nearest neighbours.
        seed: seed of that draw.
    """

    def __init__(self, splits: Splits, split="train", fraction=1.0, seed=0):
        self.splits, self.split, self.fraction, self.seed = splits, split, fraction, seed
        self._part = None

    def __getstate__(self):
        return {**self.__dict__, "_part": None}

    @property
    def all(self):
        """`Examples` of the score table.

        Raises:
            InputError: if there are no such examples, or the splits do not fit each other.
        """
        return self.splits.train if self.split == "train" else self.splits.test

    @property
    def scored(self):
        """`Examples` that a probe scores."""
        return self.all if self.unseen else self.trained_on

    @property
    def trained_on(self):
        """`Examples` that a probe trains on. Neighbours and prototypes come from them."""
        if self.fraction == 1:
            return self.splits.train
        if self._part is None:
            self._part = scored_part(self.splits.train, self.fraction, self.seed)
        return self._part

    @property
    def extrapolates(self):
        """Whether the scores of some examples are estimated from neighbours."""
        return self.scored is not self.all

    @property
    def unseen(self):
        """Whether probes score other examples than they train on."""
        return self.split == "test"


def scored_part(examples, fraction, seed):
    """Draws the examples that probes train on and score, a stratified random part.

    Args:
        examples: `Examples`.
        fraction: float in (0, 1]; exactly round-half-up(fraction · N) examples are drawn.
        seed: integer; the same seed draws the same examples.

    Returns:
        `Examples`; `examples` itself for the fraction 1.

    Raises:
        InputError: if another fraction leaves no example out, or if a class of which some are left
            out has fewer than two in the part.
    """
    if fraction == 1:
        return examples
    if keep_count(fraction, len(examples), "probe.fraction") == len(examples):
        raise InputError(
            "There are no other examples to estimate scores of. Expected a `probe.fraction` that "
            f"leaves some of the {len(examples)} examples out, or 1. Received: {fraction}"
        )
    with warnings.catch_warnings():
        # The check below is stricter than the warning of `draw`.
        warnings.simplefilter("ignore", UserWarning)
        part = examples.draw(fraction, seed)
    available = np.bincount(examples.labels, minlength=examples.num_classes)
    drawn = np.bincount(part.labels, minlength=examples.num_classes)
    short = np.flatnonzero((drawn < 2) & (drawn < available))
    if len(short):
        label = short[0]
        raise InputError(
            "The part to score is too small. Expected at least two examples of every class, to "
            f"estimate scores from. Received: {drawn[label]} of {available[label]} of the class "
            f"{examples.class_names[label]!r}, {len(part)} of {len(examples)} in all. Raise "
            "`probe.fraction` (--fraction)."
        )
    return part
