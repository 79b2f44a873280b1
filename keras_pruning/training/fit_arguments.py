"""The arguments of a call of `fit`, by name, whatever signature a model's own `fit` has."""

import inspect

import keras


class FitArguments:
    """The arguments of a call of `fit`.

    Args:
        fit: the bound method that is called.
        arguments, options: positional and keyword arguments of the call.
    """

    def __init__(self, fit, arguments, options):
        parameters = inspect.signature(fit).parameters.values()
        kinds = {parameter.kind for parameter in parameters}
        self._names = [parameter.name for parameter in parameters if parameter.kind <= _BY_POSITION]
        of_keras = list(inspect.signature(keras.Model.fit).parameters)[1:]
        self._any_name = inspect.Parameter.VAR_KEYWORD in kinds
        self._known = {parameter.name for parameter in parameters}
        # Arguments that a `fit` of its own passes on stand where they stand in that of Keras.
        if inspect.Parameter.VAR_POSITIONAL in kinds:
            self._names += of_keras[len(self._names) :]
        self.arguments, self.options = list(arguments), dict(options)

    def get(self, name, default=None):
        """Returns an argument, or `default` if it is not given."""
        return {**dict(zip(self._names, self.arguments, strict=False)), **self.options}.get(
            name, default
        )

    def set(self, name, value):
        """Sets an argument, unless `fit` does not take it."""
        if name in self._names[: len(self.arguments)]:
            self.arguments[self._names.index(name)] = value
        elif self._any_name or name in self._known:
            self.options[name] = value


_BY_POSITION = inspect.Parameter.POSITIONAL_OR_KEYWORD
