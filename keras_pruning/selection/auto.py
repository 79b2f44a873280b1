"""The request to choose a policy by a pilot. It selects nothing itself."""

from keras_pruning.arguments import require_fraction, require_positive_integer
from keras_pruning.errors import InputError
from keras_pruning.selection.policy import Policy


class Auto(Policy):
    """Asks for the policy that a pilot chooses for this data set and budget.

    The pilot trains short runs and takes the best of easiest, middle, stratified and hardest if it
    is better than random beyond doubt, otherwise random. Commands run it. In Python,
    `keras_pruning.choose_policy` does.

    Args:
        seeds: number of splits of the training data, at least 2. On each, every policy is tried
            once.
        length: float in (0, 1], the epochs of a pilot run as a fraction of `training.epochs`.
        part: float in (0, 1], the fraction of the data that the pilot draws on each split. With
            less data, easier examples teach more, so the pilot leans to these.

    Raises:
        InputError: if an option is invalid.
    """

    name = "auto"

    def __init__(self, seeds=5, length=0.5, part=1.0):
        self.seeds = require_positive_integer("seeds", seeds, or_none=False)
        if self.seeds < 2:
            raise InputError(
                "Invalid `seeds`. Expected at least 2, because one split does not show how much "
                f"others would differ. Received: seeds={seeds}"
            )
        self.length = require_fraction(length, "length")
        self.part = require_fraction(part, "part")

    def require_keep_fraction(self, keep_fraction):
        if keep_fraction == 1:
            raise InputError(
                "A pilot has nothing to choose if all examples are kept. Expected a "
                "`keep_fraction` below 1. Received: keep_fraction=1.0"
            )

    def choose(self, candidates, count, rng):
        raise InputError(
            "The policy 'auto' trains models, and `select` does not. Expected a policy that "
            "selects. Received: 'auto'. Use `keras_pruning.choose_policy`, or `prune --policy auto "
            "--config CONFIG` on the command line."
        )
