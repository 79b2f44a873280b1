"""The code that numbers depend on, as part of the recipe of every result."""

import contextlib
import hashlib
import importlib.util
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from keras_pruning import __version__

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
