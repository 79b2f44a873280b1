"""The policy that leaves out near duplicates before another policy chooses."""

import warnings

import numpy as np

from keras_pruning.arguments import kind_of
from keras_pruning.embeddings.directions import require_threshold
from keras_pruning.errors import InputError
from keras_pruning.selection.candidates import DIFFICULTY, EMBEDDING
from keras_pruning.selection.policies.random import Random
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.ranking import hardest_first


class Deduplicate(Policy):
    """Leaves out near duplicates, and lets another policy choose among the other examples.

    Two examples are near duplicates if 1 − cos ≤ threshold, cos being the cosine of the angle
    between their vectors. No two kept examples are near, as long as there are enough others. Of
    near examples the hardest is kept if the other policy reads the difficulty, otherwise a random
    one. If fewer examples than requested are no duplicates, randomly drawn duplicates complete
    them, with a warning.

    Args:
        threshold: number in [0, 1).
        then: the policy that chooses among the examples that are left. In Python a `Policy`. In
            `{"name": "deduplicate", "then": then}` also a name or a dictionary of a name and
            options.

    Example:
        >>> policy = {"name": "deduplicate", "threshold": 0.02, "then": "hardest"}
        >>> subset = kp.select(table, "el2n", 0.5, policy, embedding=vectors)
    """

    name = "deduplicate"
    needs = (EMBEDDING,)

    def __init__(self, threshold=0.05, then=None):
        then = Random() if then is None else then
        if isinstance(then, Deduplicate) or not isinstance(then, Policy):
            raise InputError(
                "Invalid `then`. Expected the name of another policy, or a Policy. Received: "
                f"then={kind_of(then)}"
            )
        self.keeps_hardest = then.keeps_hardest
        self.threshold, self.policy = require_threshold(threshold), then
        config = then.get_config()
        self.then = {"name": then.name, **config} if config else then.name
        self.needs = (EMBEDDING, *(need for need in then.needs if need != EMBEDDING))

    def require_keep_fraction(self, keep_fraction):
        self.policy.require_keep_fraction(keep_fraction)

    def shortlist(self, candidates, count, rng):
        rows = self._without_duplicates(candidates, count, rng)
        left = candidates.at(rows)
        try:
            self.policy.require_keep_fraction(count / len(rows))
        except InputError as error:
            raise InputError(
                f"Near duplicates leave too few examples. {str(error).partition('. ')[0]}, here of "
                f"{len(rows):,} without near duplicates. Expected fewer than {count:,} to keep. "
                f"Received: {count:,}. Keep a smaller fraction, or lower `threshold`."
            ) from error
        inner = self.policy.shortlist(left, count, rng)
        return rows if inner is None else rows[np.asarray(inner, np.int64)]

    def choose(self, candidates, count, rng):
        return self.policy.choose(candidates, count, rng)

    def _without_duplicates(self, candidates, count, rng):
        """Returns the rows of at least `count` examples, ascending, duplicates only if needed."""
        # Imported here, because `--help` does without TensorFlow.
        from keras_pruning.embeddings.near_duplicates import near_duplicates

        # Never by row: on data sorted by class that would favour some classes.
        priority = rng.permutation(len(candidates))
        if DIFFICULTY in self.policy.needs:
            priority[hardest_first(candidates.difficulty, rng)] = -np.arange(len(candidates))
        keep = near_duplicates(candidates.embedding, self.threshold, priority=priority).keep
        available = int(keep.sum())
        if available < count:
            dropped = rng.permutation(np.flatnonzero(~keep))
            keep[dropped[: count - available]] = True
            warnings.warn(
                f"The policy 'deduplicate' keeps {count - available:,} near duplicates. Expected "
                f"at least {count:,} examples that are no duplicates of each other. Received: "
                f"{available:,} of {len(candidates):,}. Keep a smaller fraction, or lower "
                "`threshold`.",
                UserWarning,
                stacklevel=6,
            )
        return np.flatnonzero(keep)
