"""The sources of an own model: all modules of the user's that it imports, none of others."""

import sys

import pytest

from keras_pruning.own_sources import module_digests
from keras_pruning.recipes import source_digest

FILES = {
    "net_of_sources.py": "import json\nimport keras\nfrom blocks_of_sources import block\n",
    "blocks_of_sources.py": "def block():\n    import deep_of_sources.inner.leaf\n",
    "deep_of_sources/__init__.py": "from . import beside\n",
    "deep_of_sources/beside.py": "from broken_of_sources import anything\n",
    "deep_of_sources/inner/__init__.py": "",
    "deep_of_sources/inner/leaf.py": "from ..outer import x\nfrom ...nowhere import y\n",
    "deep_of_sources/outer.py": "import net_of_sources\nimport absent_of_sources\n",
    "broken_of_sources.py": "this is no Python\n",
    "other_of_sources.py": "",
}
IMPORTED = {name for name in FILES if not name.startswith("other")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_imports_are_followed_without_running_them(folder):
    names = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in IMPORTED
    }
    before = set(sys.modules)
    assert set(module_digests("net_of_sources")) == names
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_edit_changes_the_digest_if_it_is_imported(name, folder):
    before = source_digest("net_of_sources:net")
    assert before == source_digest("net_of_sources:net")
    (folder / name).write_text(FILES[name] + "# edited\n")
    assert (source_digest("net_of_sources:net") != before) == (name in IMPORTED)


def test_a_module_in_a_package_runs_the_packages_around_it(folder):
    digests = module_digests("deep_of_sources.inner.leaf")
    assert {"deep_of_sources", "deep_of_sources.beside", "deep_of_sources.inner"} < set(digests)


def test_an_installed_package_counts_if_it_has_the_model(folder):
    assert "sklearn.tree" in module_digests("sklearn.tree")
    assert not any(name.startswith("numpy") for name in module_digests("sklearn.tree"))


@pytest.mark.parametrize("name", ["cnn", "absent_of_sources:net", "json:net", "absent.keras"])
def test_other_models_have_no_sources(name, folder):
    assert source_digest(name) is None
