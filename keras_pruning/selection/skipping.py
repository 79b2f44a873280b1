"""Skips the hardest examples, which are the noisiest."""

from dataclasses import dataclass

from keras_pruning.arguments import require_not_negative
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count
from keras_pruning.selection.ranking import ranked

# The rounding error of 1 - fraction.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Skipped:
    """A fraction of the examples that a policy skips as the hardest.

    Args:
        name: name of the option, for messages.
        fraction: float in [0, 1).

    Raises:
        InputError: if the fraction is invalid.
    """

    name: str
    fraction: float

    def __post_init__(self):
        if require_not_negative(self.name, self.fraction) >= 1:
            raise InputError(
                f"Invalid `{self.name}`. Expected a number in [0, 1). "
                f"Received: {self.name}={self.fraction!r}"
            )

    def require_keep_fraction(self, policy, keep_fraction):
        """Raises an `InputError` if too few examples are left to keep a fraction of all.

        Args:
            policy: name of the policy.
            keep_fraction: float in (0, 1].
        """
        if keep_fraction > 1 - self.fraction + _TOLERANCE:
            raise InputError(
                f"The policy {policy!r} skips the hardest {self.fraction:g} of the examples. "
                f"Expected keep_fraction <= {1 - self.fraction:g}. Received: keep_fraction="
                f"{keep_fraction:g}. Keep fewer examples, or set a smaller `{self.name}`."
            )

    def others(self, difficulty, count, rng):
        """Returns the positions of the examples that are not skipped, ties drawn at random.

        Args:
            difficulty: floats `(examples,)`.
            count: number of examples to keep. At least as many are returned.
            rng: `numpy.random.Generator`.
        """
        # Both counts are rounded, so that together they may be one more than all.
        skipped = min(rounded_count(self.fraction, len(difficulty)), len(difficulty) - count)
        return ranked(difficulty, skipped, len(difficulty), rng)
