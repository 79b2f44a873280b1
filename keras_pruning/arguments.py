"""Checks of arguments. Each raises an `InputError` with the expected and the received value.

A check of a number returns it as a plain Python number, which JSON can hold. Numbers of NumPy are
taken wherever those of Python are. Store the returned value.
"""

import inspect
import math
import numbers
import os

import numpy as np

from keras_pruning.errors import InputError, unknown


def require_positive_integer(name, value, or_none=True):
    """Returns `value` as an `int`. Raises an `InputError` unless it is an integer > 0, or `None`.

    Args:
        name: name of the argument.
        value: its value.
        or_none: boolean, whether `None` is valid.
    """
    if not (value is None and or_none) and not (_is_integer(value) and value > 0):
        raise InputError(
            f"Invalid `{name}`. Expected a positive integer. Received: {name}={value!r}"
        )
    return plain(value)


def require_positive(name, value, or_none=True):
    """Returns `value`, a plain number. Raises an `InputError` unless it is above 0, or `None`.

    Args:
        name: name of the argument.
        value: its value.
        or_none: boolean, whether `None` is valid.
    """
    if not (value is None and or_none) and not (_is_finite(value) and value > 0):
        raise InputError(
            f"Invalid `{name}`. Expected a positive number. Received: {name}={value!r}"
        )
    return plain(value)


def require_not_negative(name, value):
    """Returns `value`, a plain number. Raises an `InputError` unless it is a number >= 0."""
    if not (_is_finite(value) and value >= 0):
        raise InputError(f"Invalid `{name}`. Expected a number >= 0. Received: {name}={value!r}")
    return plain(value)


def require_one_of(name, value, known):
    """Returns `value`. Raises an `InputError` unless it is in `known`, a tuple of strings."""
    if not isinstance(value, str) or value not in known:
        expected = " or ".join(map(repr, known))
        raise InputError(f"Invalid `{name}`. Expected {expected}. Received: {name}={value!r}")
    return str(value)


def require_boolean(name, value):
    """Returns `value` as a `bool`. Raises an `InputError` unless it is `True` or `False`."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"Invalid `{name}`. Expected True or False. Received: {name}={value!r}")
    return bool(value)


def require_fraction(fraction, name="keep_fraction"):
    """Returns `fraction` as a `float`. Raises an `InputError` unless it is in (0, 1]."""
    if not (_is_finite(fraction) and 0 < fraction <= 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in (0, 1]. Received: {name}={fraction!r}"
        )
    return float(plain(fraction))


def require_test_fraction(fraction, name="test_fraction"):
    """Returns `fraction` as a `float` or `None`. Raises an `InputError` unless it is in (0, 1)."""
    if fraction is None:
        return None
    if not (_is_finite(fraction) and 0 < fraction < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in (0, 1). Received: {name}={fraction!r}"
        )
    return float(plain(fraction))


def require_part(value, name, below_one=True):
    """Returns `value` as a `float`. Raises an `InputError` unless it is in [0, 1), or [0, 1].

    Args:
        value: the value.
        name: name of the argument.
        below_one: boolean, whether 1 is invalid.
    """
    if not (_is_finite(value) and 0 <= value <= 1 and not (below_one and value == 1)):
        interval = "[0, 1)" if below_one else "[0, 1]"
        raise InputError(
            f"Invalid `{name}`. Expected a float in {interval}. Received: {name}={value!r}"
        )
    return float(plain(value))


def require_label_noise(fraction, name="label_noise"):
    """Returns `fraction` as a `float`. Raises an `InputError` unless it is in [0, 1)."""
    if not (_is_finite(fraction) and 0 <= fraction < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in [0, 1). Received: {name}={fraction!r}"
        )
    return float(plain(fraction))


def require_seed(seed, name="seed"):
    """Returns `seed` as an `int`. Raises an `InputError` unless it is an integer >= 0."""
    if not (_is_integer(seed) and seed >= 0):
        raise InputError(f"Invalid `{name}`. Expected an integer >= 0. Received: {name}={seed!r}")
    return plain(seed)


def require_seeds(name, seeds):
    """Returns a number of seeds as an `int`, or a list of seeds as a list of `int`.

    Raises:
        InputError: unless `seeds` is a positive integer, or different integers >= 0.
    """
    listed = isinstance(seeds, list | tuple | range | np.ndarray)
    values = list(seeds) if listed else [seeds]
    valid = all(_is_integer(seed) and seed >= (0 if listed else 1) for seed in values)
    if not (valid and values and len(set(values)) == len(values)):
        raise InputError(
            f"Invalid `{name}`. Expected a positive number of seeds, or a list of different "
            f"seeds >= 0. Received: {name}={seeds!r}"
        )
    return plain(values) if listed else plain(seeds)


def require_examples(examples, name="examples"):
    """Raises an `InputError` that says how to make `Examples` unless `examples` are some."""
    # Asked for an attribute, because the class stands above this module.
    if hasattr(examples, "stored_inputs") and not isinstance(examples, type):
        return
    raise InputError(
        f"Invalid `{name}`. Expected Examples, as `load_examples` returns them. "
        f"Received: {kind_of(examples)}. `Examples.from_arrays(x, y)` makes them of an array of "
        "inputs and an array of labels, which stay in one order."
    )


def require_type(name, value, attribute, expected):
    """Raises an `InputError` unless `value` is an object with an attribute.

    Args:
        name: name of the argument.
        value: the received value.
        attribute: name of an attribute that only the expected class has.
        expected: the class and the way to get an instance, for the message.
    """
    if not hasattr(value, attribute) or isinstance(value, type):
        raise InputError(f"Invalid `{name}`. Expected {expected}. Received: {kind_of(value)}")


def require_subset(subset):
    """Raises an `InputError` unless `subset` is a `Subset`. Tells how to make one of a mask."""
    require_type(
        "subset",
        subset,
        "kept_ids",
        "a Subset, as `select` returns it, or `kp.Subset(examples.ids, examples.labels, mask)` "
        "with one boolean for each example",
    )


def require_declared_needs(kind, known):
    """Raises an `InputError` unless the `needs` of a class are a tuple out of the known ones."""
    if not isinstance(kind.needs, tuple) or not set(kind.needs) <= set(known):
        raise InputError(
            f"Invalid `needs` of {kind.__name__}. Expected a tuple out of {known}. "
            f"Received: {kind.needs!r}"
        )


def require_path(name, value, expected="the path of a file"):
    """Raises an `InputError` unless `value` is a path: a string or a `pathlib.Path`."""
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"Invalid `{name}`. Expected {expected}. Received: {kind_of(value)}")


def kind_of(value):
    """Returns a short text for messages that tells the kind of a value."""
    if value is None or isinstance(value, str | numbers.Number):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "element_spec"):
        return "a tf.data.Dataset"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, dict):
        return f"a dictionary with the keys {list(value)[:5]}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of the type {type(value).__name__}"


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
    return {name: plain(getattr(instance, name)) for name in parameters if hasattr(instance, name)}


def plain(value):
    """Returns a value with Python's numbers and booleans in the place of NumPy's, for JSON."""
    if isinstance(value, dict):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
    if isinstance(value, np.floating):
        # Through the shortest decimal, so that float32(0.1) means 0.1 and not 0.10000000149.
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    # Other numbers, such as fractions.Fraction
    if _is_number(value) and not isinstance(value, int | float):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value


def _is_number(value):
    # `True` and `False` are integers in Python.
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _is_integer(value):
    return _is_number(value) and isinstance(value, numbers.Integral)


def _is_finite(value):
    try:
        return _is_number(value) and math.isfinite(value)
    except OverflowError:  # An integer beyond every float
        return False
