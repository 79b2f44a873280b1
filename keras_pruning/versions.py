"""The versions that numbers depend on; they are part of the recipe of every result."""

from importlib.metadata import PackageNotFoundError, version

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
