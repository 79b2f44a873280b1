"""Checks of arguments. Each raises an `InputError` with the expected and the received value."""

import inspect
import numbers

from keras_pruning.errors import InputError, unknown


def positive_integer(name, value):
    """Returns `value`. Raises an `InputError` unless it is `None` or a positive integer."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a positive integer. Received: {name}={value!r}"
        )
    return value


def require_positive(name, value):
    """Raises an `InputError` unless `value` is `None` or a number above 0."""
    if value is not None and not value > 0:
        raise InputError(f"Invalid `{name}`. Expected a positive number. Received: {value}")


def require_one_of(name, value, known):
    """Raises an `InputError` unless `value` is in `known`, a tuple of strings."""
    if value not in known:
        expected = " or ".join(map(repr, known))
        raise InputError(f"Invalid `{name}`. Expected {expected}. Received: {name}={value!r}")


def require_boolean(name, value):
    """Raises an `InputError` unless `value` is `True` or `False`."""
    if not isinstance(value, bool):
        raise InputError(f"Invalid `{name}`. Expected True or False. Received: {name}={value!r}")


def require_fraction(fraction, name="keep_fraction"):
    """Raises an `InputError` unless `fraction` is a number in (0, 1]."""
    if not (_is_number(fraction) and 0 < fraction <= 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in (0, 1]. Received: {name}={fraction}"
        )


def require_label_noise(fraction, name="label_noise"):
    """Raises an `InputError` unless `fraction` is a number in [0, 1)."""
    if not (_is_number(fraction) and 0 <= fraction < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in [0, 1). Received: {name}={fraction}"
        )


def require_seed(seed, name="seed"):
    """Raises an `InputError` unless `seed` is an integer >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"Invalid `{name}`. Expected an integer >= 0. Received: {name}={seed!r}")


def require_seeds(name, seeds):
    """Raises an `InputError` unless `seeds` is a positive number of seeds or a list of seeds."""
    # A number of seeds counts from 0: it is valid if its last seed is.
    listed = seeds if isinstance(seeds, list) else [seeds - 1 if isinstance(seeds, int) else seeds]
    valid = all(isinstance(seed, int) and seed >= 0 for seed in listed)
    if not (valid and listed and len(set(listed)) == len(listed)):
        raise InputError(
            f"Invalid `{name}`. Expected a positive number of seeds, or a list of different "
            f"seeds >= 0. Received: {seeds}"
        )


def from_registry(kind, value, registry, base):
    """Returns the entry of a registry that an argument asks for.

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
        raise unknown(kind, value if name is None else name, registry)
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


def _is_number(value):
    # `True` and `False` are integers in Python.
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
