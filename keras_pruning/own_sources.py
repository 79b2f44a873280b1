"""The source files that a model of the user's own is made from."""

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

# The version of this package is part of every recipe.
_THIS_PACKAGE = __name__.partition(".")[0]
# Folders of installed packages. Their versions change with their files.
_INSTALLED = ("site-packages", "dist-packages")


def module_digests(module):
    """Returns a hash of each source file that importing a module runs, found without running any.

    Imports are followed through all modules but the standard library, installed packages and this
    package. A package that contains `module` is followed wherever it is.

    Args:
        module: name of a module, with dots. The working folder is searched first.

    Returns:
        Dictionary from module names to hashes, sorted by name. It is empty if there is no such
        module.
    """
    digests, queue = {}, _with_packages(module)
    top = module.partition(".")[0]
    importlib.invalidate_caches()
    with working_folder_importable():
        while queue:
            name = queue.pop()
            path = _file(name, always=top) if name not in digests else None
            if path is not None:
                content = path.read_bytes()
                digests[name] = hashlib.sha256(content).hexdigest()[:32]
                queue += _imports(content, name, path.name == "__init__.py")
    return dict(sorted(digests.items()))


def digest_of(value):
    """Returns a hash of a value that JSON can hold, 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


@contextlib.contextmanager
def working_folder_importable():
    """Makes modules in the working folder importable, as a user of the command line expects."""
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path.remove(os.getcwd())


def _with_packages(name):
    """Returns a module and the packages around it, which Python imports first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _file(name, always):
    """Returns the path of a module's file, `None` if it is not the user's own.

    Args:
        name: name of the module, with dots.
        always: name of a package that counts even if it is installed.
    """
    top, *rest = _with_packages(name)
    if top == _THIS_PACKAGE or top in sys.stdlib_module_names:
        return None
    try:
        spec = importlib.util.find_spec(top)
        for inner in rest:
            # Not `importlib.util.find_spec`, which would run the package around the module.
            spec = PathFinder.find_spec(inner, spec.submodule_search_locations or [])
    except (AttributeError, ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or not Path(spec.origin).is_file():
        return None
    path = Path(spec.origin)
    installed = not set(_INSTALLED).isdisjoint(path.parts)
    return path if top == always or not installed else None


def _imports(content, name, is_package):
    """Returns the names of modules that a source file imports, also inside of its functions."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return []  # An extension module, or a mistake that its import will report.
    around = name.split(".") if is_package else name.split(".")[:-1]
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # One dot is the package around the file, each further dot the package around that.
            base = around[: len(around) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            # A name may be a module or something that a module defines.
            names += [start, *(f"{start}.{alias.name}" for alias in node.names)]
    return [part for imported in names if imported for part in _with_packages(imported)]
