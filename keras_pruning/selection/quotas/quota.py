"""The base class of the class quotas."""

from keras_pruning.arguments import options_of, require_declared_needs

SIZES, PREFERRED = "sizes", "preferred"
NEEDS = (SIZES, PREFERRED)


class Quota:
    """Base class of the quotas: the number of examples that each class keeps.

    A subclass sets `name` and overrides `counts`. Options are the arguments of its `__init__`,
    each stored as an attribute of the same name.

    `needs` is a tuple of further arguments of `counts`: `"sizes"` and `"preferred"`. A quota that
    needs `"preferred"` lets the policy choose twice.
    """

    name = None
    needs = ()

    def __init_subclass__(cls):
        super().__init_subclass__()
        require_declared_needs(cls, NEEDS)

    def counts(self, available, total, rng, **needed):
        """Returns the number of examples to keep of each class.

        Args:
            available: integers `(classes,)`, the number of examples of each class that the policy
                may keep.
            total: number of examples to keep in all.
            rng: `numpy.random.Generator`.
            **needed: those of `needs`: `sizes`, integers `(classes,)`, the number of examples of
                each class in the data, and `preferred`, integers `(classes,)`, the number that the
                policy keeps of each class without a quota.

        Returns:
            Integers `(classes,)` that sum to `total`, none above `available`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `counts`.")

    def get_config(self):
        """Returns the options that make the same quota again, as a dictionary."""
        return options_of(self)
