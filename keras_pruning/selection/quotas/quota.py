"""The base class of the class quotas."""

from keras_pruning.arguments import options_of


class Quota:
    """Base class of the quotas: the number of examples that each class keeps.

    A subclass sets `name` and overrides `counts`. Options are the arguments of its `__init__`,
    each stored as an attribute of the same name.
    """

    name = None

    def counts(self, available, total, rng):
        """Returns the number of examples to keep of each class.

        Args:
            available: integers `(classes,)`, the number of examples of each class.
            total: number of examples to keep in all.
            rng: `numpy.random.Generator`.

        Returns:
            Integers `(classes,)` that sum to `total`, none above `available`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `counts`.")

    def get_config(self):
        """Returns the options that make the same quota again, as a dictionary."""
        return options_of(self)
