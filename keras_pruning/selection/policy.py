"""The base class of the policies."""

from keras_pruning.arguments import options_of, require_declared_needs
from keras_pruning.selection.candidates import DIFFICULTY, NEEDS


class Policy:
    """Base class of the policies, which choose the examples to keep.

    A subclass sets `name` and `needs` and overrides `choose`. Options are the arguments of its
    `__init__`, each stored as an attribute of the same name. They come from
    `{"name": "stratified", "beta": 0.1}` in Python, in a config and on the command line.

    `needs` is a tuple of the arrays that `choose` reads: `"difficulty"` (oriented, higher is
    harder, never a raw score), `"labels"`, `"embedding"` and `"confidence"` (the score of that
    name). It is empty for a policy that reads none. `select` raises an error if one is missing.

    `keeps_hardest` is true for a policy that prefers the hardest examples. `select` then warns of
    the cases in which they teach less than random ones. It may be a property.

    Example:
        class Middle(Policy):
            name = "middle"

            def __init__(self, offset=0.1):
                self.offset = offset

            def choose(self, candidates, count, rng):
                first = round(self.offset * (len(candidates) - count))
                return hardest_first(candidates.difficulty, rng)[first : first + count]
    """

    name = None
    needs = (DIFFICULTY,)
    keeps_hardest = False

    def __init_subclass__(cls):
        super().__init_subclass__()
        require_declared_needs(cls, NEEDS)

    def require_keep_fraction(self, keep_fraction):
        """Raises an `InputError` if the policy cannot keep this part of the examples.

        A sweep calls it before anything is trained. By default every fraction is fine.

        Args:
            keep_fraction: float in (0, 1].
        """

    def shortlist(self, candidates, count, rng):
        """Returns the positions of the examples that `choose` may keep, or `None` for all.

        It is called once, before a class quota is applied, so that examples which the policy never
        keeps do not count as available. By default all examples are on the list.

        Args:
            candidates: `Candidates`, all examples.
            count: number of examples to keep in all.
            rng: `numpy.random.Generator` that breaks ties and draws.

        Returns:
            Integers `(at least count,)`, each position at most once, or `None`.
        """

    def choose(self, candidates, count, rng):
        """Returns the positions of the examples to keep.

        Args:
            candidates: `Candidates` on the shortlist. With a class quota, these are the examples
                of one class.
            count: number of examples to keep, from 0 to `len(candidates)`.
            rng: `numpy.random.Generator` that breaks ties and draws.

        Returns:
            Integers `(count,)`, each position at most once.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `choose`.")

    def get_config(self):
        """Returns the options that make the same policy again, as a dictionary."""
        return options_of(self)
