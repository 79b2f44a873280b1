"""The registry of formats, and recipes of exports."""

import json

import numpy as np
import pytest
from support import exported

import keras_pruning as kp
from keras_pruning.examples.exports import EXPORTS


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_keeps_every_id(name, tmp_path):
    part = exported.examples()
    path = kp.export(part, name, tmp_path / "out")
    entry = EXPORTS[name]
    assert path == tmp_path / "out" / entry.file
    assert path.is_file() == bool(entry.file)
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert recipe["format"] == name
    assert recipe["examples"] == part.provenance


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_recipe_is_reused(name, tmp_path, caplog):
    part = exported.examples()
    path = kp.export(part, name, tmp_path / "out")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")}
    with caplog.at_level("INFO", "keras_pruning"):
        assert kp.export(part, name, tmp_path / "out") == path
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")} == before
    assert "Reused" in caplog.text


def test_another_recipe_is_refused(tmp_path):
    part = exported.examples()
    kp.export(part, "csv", tmp_path / "out")
    for other, name, key in (
        (part.at(np.arange(9)), "csv", "examples.fingerprint"),
        (part, "npz", "format"),
    ):
        with pytest.raises(kp.InputError, match=f"another recipe(.|\n)*{key}: recorded"):
            kp.export(other, name, tmp_path / "out")


def test_class_names_are_part_of_the_recipe(tmp_path):
    """They are in the files, but not in the fingerprint."""
    kp.export(exported.examples(), "csv", tmp_path / "out")
    renamed = exported.examples(class_names=["a", "b", "c"])
    with pytest.raises(kp.InputError, match="class_names: recorded"):
        kp.export(renamed, "csv", tmp_path / "out")


@pytest.mark.parametrize("is_file", [True, False])
def test_other_content_is_never_overwritten(is_file, tmp_path):
    place = tmp_path / "out"
    file = place if is_file else place / "notes.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(kp.InputError, match="exists already and holds no export"):
        kp.export(exported.examples(), "csv", place)
    assert file.read_text() == "mine"


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    assert kp.export(exported.examples(), "csv", tmp_path / "out").is_file()


@pytest.mark.parametrize("name", ["zip", None, ["npz"]])
def test_an_unknown_format_is_refused(name, tmp_path):
    with pytest.raises(kp.InputError, match=r"Unknown format.*'csv', 'folder', 'npz'.*Received: "):
        kp.export(exported.examples(), name, tmp_path / "out")


def test_an_option_of_another_format_is_refused(tmp_path):
    with pytest.raises(kp.InputError, match="Invalid `link`.*format `folder`.*'hard' for 'npz'"):
        kp.export(exported.examples(), "npz", tmp_path / "out", link="hard")


def test_arguments_of_another_kind_are_refused(tmp_path):
    with pytest.raises(kp.InputError, match="Invalid `examples`"):
        kp.export(np.zeros(3), "npz", tmp_path / "out")
    with pytest.raises(kp.InputError, match="Invalid `path`"):
        kp.export(exported.examples(), "npz", 3)


def test_the_selection_is_part_of_the_recipe(tmp_path):
    whole = kp.Examples.from_arrays(np.arange(4), [0, 1, 0, 1])
    subset = kp.Subset(whole.ids, whole.labels, np.array([True, False, False, True]))
    kp.export(whole.keep(subset), "csv", tmp_path / "out")
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert recipe["selection"] == subset.selection
    assert recipe["selection"]["kept"] == 2
