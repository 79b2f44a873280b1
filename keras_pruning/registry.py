"""Registries: an entry by its name, by its name with options, or as an instance."""

import inspect

from keras_pruning.errors import InputError, unknown


def entry(kind, value, registry, base):
    """Returns the entry of a registry that `value` asks for.

    Args:
        kind: noun for the messages, for example `"policy"`.
        value: a name, a dictionary of a `name` and options, or an instance of `base`.
        registry: dictionary from names to subclasses of `base`.
        base: base class of the entries.

    Raises:
        InputError: if there is no such name, or the options do not fit it.
    """
    if isinstance(value, base):
        return value
    options = dict(value) if isinstance(value, dict) else {"name": value}
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in registry:
        raise unknown(kind, name if isinstance(value, dict) else value, registry)
    try:
        return registry[name](**options)
    except TypeError as error:
        expected = list(inspect.signature(registry[name]).parameters)
        raise InputError(
            f"Invalid options of the {kind} {name!r}. "
            f"Expected {f'some of {expected}' if expected else 'none'}. Received: {options}"
        ) from error


def options_of(instance):
    """Returns the arguments of `__init__` that make the same entry again, as a dictionary.

    Args:
        instance: an entry that stores each argument as an attribute of the same name.
    """
    parameters = inspect.signature(type(instance)).parameters
    return {name: getattr(instance, name) for name in parameters if hasattr(instance, name)}
