"""Finds out what numbers depend on, inside a graph or outside."""

import tensorflow as tf


class Dependence:
    """Tells what the numbers that are computed in its context depend on.

    Numbers that came before and values that are assigned to variables break the chain.

    Args:
        sources: list of float tensors and variables.
    """

    def __init__(self, sources):
        self._sources = sources
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)

    def __enter__(self):
        self._tape.__enter__()
        for source in self._sources:
            self._tape.watch(source)
        return self

    def __exit__(self, *error):
        self._tape.__exit__(*error)

    def of(self, number):
        """Returns a list with a boolean for each source, `True` if a float tensor depends on it."""
        return [part is not None for part in self._tape.gradient(number, self._sources)]
