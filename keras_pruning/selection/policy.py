"""What every selection policy has in common."""

from keras_pruning.errors import InputError


class Policy:
    """Base class of the policies: which of some examples to keep.

    A subclass sets `name` and overrides `choose`. It sees difficulty, oriented so that higher is
    harder, never a raw score.
    """

    name = None
    needs_difficulty = True

    def choose(self, difficulty, count, rng):
        """The positions of exactly `count` examples to keep.

        Args:
            difficulty: floats `(examples,)`, or `None` for a policy that needs none.
            count: how many to keep.
            rng: `numpy.random.Generator` that breaks ties and draws.

        Returns:
            Integers `(count,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `choose`.")

    def require_difficulty(self, difficulty):
        """Raises an `InputError` if the policy needs a difficulty and there is none."""
        if self.needs_difficulty and difficulty is None:
            raise InputError(
                f"The policy {self.name!r} needs a score. Expected `by`, the name of one. "
                "Received: by=None"
            )
