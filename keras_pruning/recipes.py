"""Recipes: everything that a result depends on, and how two of them are compared."""

import contextlib
import hashlib
import importlib.util
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from keras_pruning import __version__
from keras_pruning.errors import InputError

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "scikit-learn", "tensorflow-datasets")


def versions():
    """The versions of this package and of those that its numbers depend on."""
    found = {"keras_pruning": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def source_digest(model_name):
    """A hash of the file that a model comes from; `None` for the models of this package.

    Args:
        model_name: as in the config: a name, `package.module:function` or a `.keras` file.
    """
    path = Path(model_name)
    if not model_name.endswith(".keras"):
        module, _, function = model_name.partition(":")
        path = _module_file(module) if function else None
    if path is None or not path.is_file():
        return None  # a missing one is reported where the model is built
    return file_digest(path)


def file_digest(path):
    """A hash of the bytes of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _module_file(module):
    with working_folder_importable():
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
    return Path(spec.origin) if spec and spec.origin else None


@contextlib.contextmanager
def working_folder_importable():
    """Lets modules in the working folder be imported, as a user of the command line expects."""
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path.remove(os.getcwd())


def as_json(value):
    """`value` as it comes back from JSON: tuples become lists, keys become strings."""
    return json.loads(json.dumps(value))


def require_same_recipe(path, recorded, wanted):
    """Raises an `InputError` that names what differs between two recipes.

    Args:
        path: the result that was made from `recorded`.
        recorded: the recipe of the result that is there.
        wanted: the recipe of the result that is asked for.
    """
    changes = list(_differences(as_json(recorded), as_json(wanted)))
    if changes:
        lines = [f"{path} holds the result of another recipe. Nothing was overwritten."]
        lines += [
            f"  {key}: there {_short(there)}, asked for {_short(asked)}"
            for key, there, asked in changes
        ]
        if any(key == "threads" for key, _, _ in changes):
            lines.append(
                "Jobs share the cores, and the last bits depend on the threads of each: set "
                "`threads` beside `jobs` to go on with other jobs."
            )
        lines.append("Choose another --output, or remove that result yourself.")
        raise InputError("\n".join(lines))


def differing(recorded, wanted):
    """The keys, joined by dots, in which two nested dictionaries differ."""
    return [key for key, _, _ in _differences(as_json(recorded), as_json(wanted))]


def _differences(recorded, wanted, prefix=""):
    if isinstance(recorded, dict) and isinstance(wanted, dict):
        for key in [*recorded, *(key for key in wanted if key not in recorded)]:
            yield from _differences(
                recorded.get(key), wanted.get(key), f"{prefix}.{key}".strip(".")
            )
    elif recorded != wanted:
        yield prefix, recorded, wanted


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
