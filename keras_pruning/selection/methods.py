"""Names of methods: the way a subset was selected, in tables, charts and folders."""

import hashlib
import inspect
import json
import re

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.selection import quotas
from keras_pruning.selection.candidates import DIFFICULTY
from keras_pruning.selection.dynamic_methods import own_options
from keras_pruning.selection.policies import BASELINE, get, known
from keras_pruning.selection.quotas import QUOTAS

FULL = "full"
# Characters that some system does not allow in the name of a folder, or a shell reads otherwise.
_UNSAFE = re.compile(r"[^\w.+=-]", re.ASCII)
# Most characters of one part, so that folders of several options stay below a system's limit.
_LONGEST = 40


def description(by, policy, quota):
    """Returns the part of a `selection` that names the method, a dictionary for JSON.

    Args:
        by: name of a score, or `None`.
        policy: as for `select`.
        quota: as for `select`.

    Raises:
        InputError: if there is no such policy, quota or option.
    """
    policy, quota = get(policy), quotas.get(quota)
    return {
        "by": by if DIFFICULTY in policy.needs else None,
        "policy": policy.name,
        "policy_options": _as_json(policy.get_config()),
        "quota": None if quota is None else quota.name,
        "quota_options": {} if quota is None else _as_json(quota.get_config()),
    }


def method_name(selection):
    """Returns the name of a method.

    For example `"el2n-hardest"`, `"el2n-hardest-balanced"`, `"random"` or, for the full data,
    `"full"`. Options that differ from their defaults follow their policy or quota:
    `"el2n-stratified-beta=0.2"`. With scores that were partly extrapolated it is
    `"el2n-extrapolated-hardest"`. A policy that a pilot chose is `"el2n-auto"`, whatever it chose.

    Args:
        selection: the `selection` of a subset's metadata, `None` for the full data.
    """
    if selection is None:
        return FULL
    # A method that a pilot completed keeps the name that asked for it.
    selection = {**selection, **((selection.get("auto") or {}).get("request") or {})}
    # Files of earlier versions leave some keys out.
    parts = [
        selection["by"],
        selection.get("extrapolated") and "extrapolated",
        selection["policy"],
        *_options(selection.get("policy_options"), known().get(selection["policy"])),
        _safe(selection["quota"] or ""),
        *_options(selection.get("quota_options"), QUOTAS.get(selection["quota"])),
    ]
    return "-".join(part for part in parts if part)


def dynamic_entry(method):
    """Returns a method that prunes while training as a dictionary of its `name` and options.

    Options at their defaults are left out, so that a method has one spelling. Whether there is such
    a method is checked when it is made for a training run.

    Args:
        method: a name, or a dictionary of a `name` and options.

    Raises:
        InputError: if it has no name.
    """
    entry = {"name": method} if isinstance(method, str) else method
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise InputError(
            "Invalid dynamic method. Expected a name, or a dictionary with a name. "
            f"Received: {method!r}"
        )
    options = own_options(_as_json(entry))
    return {"name": entry["name"], **{option: options[option] for option in sorted(options)}}


def dynamic_name(entry):
    """Returns the name of a method that prunes while training.

    Options that differ from their defaults follow: `"infobatch"` or `"rs2-f=0.3"`.

    Args:
        entry: dictionary of a `name` and options. Runs of earlier versions have defaults in it.
    """
    return "-".join([_safe(entry["name"]), *_options(own_options(entry), None)])


def run_method_name(selection, dynamic=None):
    """Returns the name of the method of a training run.

    Args:
        selection: the `selection` of its subset, `None` for all examples.
        dynamic: dictionary of `dynamic_entry`, `None` for a run that does not prune.
    """
    if dynamic is None:
        return method_name(selection)
    name = dynamic_name(dynamic)
    return name if selection is None else f"{method_name(selection)}-{name}"


def is_baseline(method):
    """Returns whether a method, a dictionary with a `policy`, is the baseline of comparisons."""
    return method is not None and method["policy"] == BASELINE and not method.get("auto")


def baseline_of(selection):
    """Returns the baseline that a method is measured against: the one with the same class quota.

    Args:
        selection: the `selection` of a subset's metadata, `None` for the full data.

    Returns:
        Dictionary of the keys of a `selection` that name the method.
    """
    names = ("quota", "quota_options")
    quota = {name: (selection or {}).get(name) for name in names}
    return {"by": None, "policy": BASELINE, **quota}


def fraction_name(fraction):
    """Returns `fraction` as text, with two decimals or as many as it needs."""
    return f"{fraction:.2f}" if round(fraction, 2) == fraction else f"{fraction:g}"


def _options(options, kind):
    """Returns `name=value` for each option that is not at its default.

    2 and 2.0 are the same value.

    Args:
        options: dictionary, or `None`.
        kind: class of the policy or quota, `None` for one that is not registered.
    """
    defaults, texts = _defaults(kind), []
    for name, value in (options or {}).items():
        if name in defaults and defaults[name] == value:
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            # A policy inside of a policy, as in then=stratified+beta=0.2
            inner = {key: entry for key, entry in value.items() if key != "name"}
            value = "+".join([value["name"], *_options(inner, known().get(value["name"]))])
        text = value if isinstance(value, str) else json.dumps(value)
        texts.append(_safe(f"{name}={text}"))
    return texts


def _defaults(kind):
    """Returns the options of a class without arguments, none if it needs arguments."""
    parameters = () if kind is None else inspect.signature(kind).parameters.values()
    if kind is None or any(parameter.default is parameter.empty for parameter in parameters):
        return {}
    return kind().get_config()


def _as_json(options):
    """Returns options as they come back from JSON, with lists in the place of arrays.

    Raises:
        InputError: if an option is neither an array nor a value that JSON has.
    """
    try:
        return json.loads(json.dumps(options, default=lambda value: np.asarray(value).tolist()))
    except (TypeError, ValueError) as error:
        raise InputError(
            "Cannot record the options. Expected numbers, strings, booleans, arrays, or lists and "
            f"dictionaries of them. Received: {options}"
        ) from error


def _safe(part):
    """Returns text for the name of a folder. A hash keeps apart texts that had to be changed."""
    text = _UNSAFE.sub("_", part)
    if text == part and len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}~{hashlib.sha256(part.encode()).hexdigest()[:6]}"
