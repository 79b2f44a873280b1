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

# Keys of the config that the recorded `examples` stand for, and the reason of each.
EXAMPLES_SAY = {
    "dataset.name": "`examples.source`, and the fingerprint, wherever the files are",
    "dataset.data_dir": "the fingerprint, wherever the files are",
    "dataset.image_size": "`examples.inputs` is a hash of the resized images",
    "dataset.fraction": "`examples.fraction`",
    "dataset.seed": "`examples.seed` and `examples.label_noise_seed`",
    "dataset.label_noise": "`examples.label_noise`",
}

# Values of keys that older files leave out. What is not listed here was `None`.
OLDER_FILES = {
    "examples.label_noise": 0.0,
    "examples.label_noise_seed": 0,
    "support.label_noise": 0.0,
    "support.label_noise_seed": 0,
    "test_examples.label_noise": 0.0,
    "test_examples.label_noise_seed": 0,
    "dataset.label_noise": 0.0,
    "selection.policy_options": {},
    "selection.quota_options": {},
    "selection.extrapolated": False,
    "probe.fraction": 1.0,
    "embeddings": [],
}


def settings(config, cannot_matter):
    """Returns the config without the keys that cannot change a result.

    A key that nobody listed stays, so that a new option is part of every recipe.

    Args:
        config: the config as nested dictionaries.
        cannot_matter: names of keys and sections to leave out, joined by dots.
    """
    kept = {}
    for section, values in config.items():
        if section in cannot_matter:
            continue
        if isinstance(values, dict):
            values = {
                key: value
                for key, value in values.items()
                if f"{section}.{key}" not in cannot_matter
            }
        if values != {}:
            kept[section] = values
    return kept


def completed(values, section):
    """Returns recorded values, with those that older files leave out.

    Args:
        values: dictionary that was read from a file.
        section: the section that it is, for example `"examples"`.
    """
    left_out = {
        name.partition(".")[2]: value
        for name, value in OLDER_FILES.items()
        if name.startswith(f"{section}.")
    }
    return left_out | values


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
            name = f"{prefix}.{key}".strip(".")
            yield from _differences(_value(recorded, name), _value(wanted, name), name)
    elif recorded != wanted:
        yield prefix, recorded, wanted


def _value(values, name):
    """Returns the value of the key `name` ends in, or the one that older files leave out."""
    *_, section, key = ["", *name.split(".")]
    left_out = OLDER_FILES.get(f"{section}.{key}".strip("."))
    return values.get(key, left_out)


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
