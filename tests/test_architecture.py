"""The rooms of the house stand in one order, and no room imports from one above it."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "keras_pruning"
# From the lowest room to the highest. The package itself holds the version.
ROOMS = [
    "errors",
    "arguments",
    "storage",
    "statistics",
    "backend.startup",
    "keras_pruning",
    "own_sources",
    "recipes",
    "jobs",
    "examples",
    "models",
    "backend.tensorflow",
    "embeddings",
    "tables",
    "scores",
    "selection",
    "entries",
    "config",
    "reports",
    "training",
    "pilot",
    "probing",
    "comparison",
    "preflight",
    "wrong_labels",
    "commands",
    "cli",
]


def modules():
    """Returns a dictionary from the name of each module, without the package's, to its file."""
    files = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        files[name.removesuffix("__init__").strip(".") or "keras_pruning"] = path
    return files


MODULES = modules()


def imported(path):
    """Returns the modules of the package that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name.removeprefix("keras_pruning.") for name in names if name.startswith("keras_prun")}
    return {_module(name) for name in ours}


def _module(name):
    """Returns the module that an imported name is, or is in."""
    if name in MODULES:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in MODULES else "keras_pruning"


def room(module):
    """Returns the room that a module stands in, `None` for an empty one around rooms."""
    rooms = [name for name in ROOMS if f"{module}.".startswith(f"{name}.")]
    return rooms[0] if rooms else None


def test_every_module_stands_in_a_room():
    assert len(set(ROOMS)) == len(ROOMS)
    homeless = [name for name in MODULES if room(name) is None and imported(MODULES[name])]
    assert homeless == []
    assert {room(name) for name in MODULES} - {None} == set(ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_from_lower_rooms_only(name):
    for module in MODULES:
        if room(module) == name:
            rooms = {room(other): other for other in imported(MODULES[module])}
            higher = [rooms[other] for other in rooms if ROOMS.index(other) > ROOMS.index(name)]
            assert higher == [], f"{module} imports {higher}"


def test_no_modules_import_each_other_in_a_circle():
    """Also by an import inside a function, which Python would let pass."""
    graph = {name: imported(path) - {name} for name, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


def test_modules_named_in_strings_exist():
    """Functions for child processes are named by strings, which no import checks."""
    strings = {
        match
        for path in MODULES.values()
        for match in re.findall(r'"(keras_pruning(?:\.\w+)+(?::\w+)?)"', path.read_text())
    }
    named = {string for string in strings if string.partition(":")[0].count(".") > 1}
    assert len(named) > 4
    for string in named:
        module, _, attribute = string.partition(":")
        tree = ast.parse(MODULES[module.removeprefix("keras_pruning.")].read_text())
        names = {node.name for node in tree.body if hasattr(node, "name")}
        assert not attribute or attribute in names, string


def test_names_of_tests_have_sixty_characters_at_most():
    names = [
        name
        for path in Path(__file__).parent.rglob("test_*.py")
        for name in re.findall(r"^\s*def (test_\w+)", path.read_text(), re.MULTILINE)
    ]
    assert names
    assert [name for name in names if len(name) > 60] == []
