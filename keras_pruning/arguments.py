"""Checks of arguments. Each raises an `InputError` with the expected and the received value.

A check returns the value as plain Python has it, without NumPy's types. Code that stores an option
stores the returned value, so that every option can be written as JSON.
"""

import inspect
import math
import numbers

import numpy as np

from keras_pruning.errors import InputError, unknown


def positive_integer(name, value):
    """Returns `value` as an `int`. Raises an `InputError` unless it is `None` or an integer > 0."""
    if value is not None and not (_is_integer(value) and value > 0):
        raise InputError(
            f"Invalid `{name}`. Expected a positive integer. Received: {name}={value!r}"
        )
    return plain(value)


def require_positive(name, value):
    """Returns `value` as a number. Raises an `InputError` unless it is `None` or above 0."""
    if value is not None and not (_is_number(value) and value > 0):
        raise InputError(
            f"Invalid `{name}`. Expected a positive number. Received: {name}={value!r}"
        )
    return plain(value)


def require_not_negative(name, value):
    """Returns `value` as a number. Raises an `InputError` unless it is a number >= 0."""
    if not (_is_number(value) and value >= 0):
        raise InputError(f"Invalid `{name}`. Expected a number >= 0. Received: {name}={value!r}")
    return plain(value)


def require_one_of(name, value, known):
    """Raises an `InputError` unless `value` is in `known`, a tuple of strings."""
    if not (isinstance(value, str) and value in known):
        expected = " or ".join(map(repr, known))
        raise InputError(f"Invalid `{name}`. Expected {expected}. Received: {name}={value!r}")


def require_boolean(name, value):
    """Returns `value` as a `bool`. Raises an `InputError` unless it is `True` or `False`."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"Invalid `{name}`. Expected True or False. Received: {name}={value!r}")
    return bool(value)


def require_fraction(fraction, name="keep_fraction"):
    """Returns `fraction` as a number. Raises an `InputError` unless it is in (0, 1]."""
    if not (_is_number(fraction) and 0 < fraction <= 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in (0, 1]. Received: {name}={fraction!r}"
        )
    return plain(fraction)


def require_label_noise(fraction, name="label_noise"):
    """Returns `fraction` as a number. Raises an `InputError` unless it is in [0, 1)."""
    if not (_is_number(fraction) and 0 <= fraction < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a float in [0, 1). Received: {name}={fraction!r}"
        )
    return plain(fraction)


def require_seed(seed, name="seed"):
    """Returns `seed` as an `int`. Raises an `InputError` unless it is an integer >= 0."""
    if not _is_seed(seed):
        raise InputError(f"Invalid `{name}`. Expected an integer >= 0. Received: {name}={seed!r}")
    return plain(seed)


def require_seeds(name, seeds):
    """Returns a positive number of seeds, or a list of different seeds.

    Raises:
        InputError: if `seeds` is something else.
    """
    listed = plain(seeds.tolist() if isinstance(seeds, np.ndarray) else seeds)
    if isinstance(listed, list | tuple):
        valid = listed and all(map(_is_seed, listed)) and len(set(listed)) == len(listed)
    else:
        valid = _is_integer(listed) and listed > 0
    if not valid:
        raise InputError(
            f"Invalid `{name}`. Expected a positive number of seeds, or a list of different "
            f"seeds >= 0. Received: {seeds!r}"
        )
    return list(listed) if isinstance(listed, tuple) else listed


def require_examples(examples, name="examples"):
    """Raises an `InputError` unless `examples` are `Examples`.

    Args:
        examples: the argument. The message says how to make `Examples` of another value.
        name: name of the argument.
    """
    # Told by a method, because the class is defined on top of this module.
    if hasattr(examples, "scoring_batches"):
        return
    kind = type(examples)
    if kind.__module__.startswith("tensorflow.python.data"):
        received, mend = "a tf.data.Dataset", "Collect its inputs and labels in arrays x and y."
    elif isinstance(examples, dict):
        received = "a dictionary"
        mend = "Several inputs for one example are not supported. Take one array x and labels y."
    elif kind is tuple:
        received, mend = f"a tuple of {len(examples)} values", "Take its inputs x and labels y."
    else:
        received, mend = kind.__name__, "Take inputs x and labels y."
    raise InputError(
        f"Invalid `{name}`. Expected Examples, which hold inputs, labels and ids in a fixed order. "
        f"Received: {received}. {mend} Then make them with Examples.from_arrays(x, y)."
    )


def plain(value):
    """Returns `value` without NumPy's numbers, also inside lists, tuples and dictionaries.

    A float of lower precision becomes the float of the same shortest digits, so that
    `np.float32(0.1)` becomes 0.1.
    """
    if isinstance(value, np.floating):
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    # Exactly these types: a named tuple is made from other arguments.
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    return value


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

    Its numbers are plain Python numbers, also if an entry has stored NumPy's.

    Args:
        instance: an entry that stores each argument as an attribute of the same name.
    """
    parameters = inspect.signature(type(instance)).parameters
    stored = [name for name in parameters if hasattr(instance, name)]
    return {name: plain(getattr(instance, name)) for name in stored}


def _is_integer(value):
    # `True` and `False` are integers in Python.
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and math.isfinite(value)


def _is_seed(value):
    return _is_integer(value) and value >= 0
