import platform

import pytest

from keras_pruning import InputError
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import new_file, new_folder


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "er" / "file"
    with pytest.raises(RuntimeError), new_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_file(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "folder"
    with pytest.raises(RuntimeError), new_folder(path) as partial:
        (partial / "half").write_text("")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_folder(path) as partial:
        (partial / "whole").write_text("")
    assert [entry.name for entry in path.iterdir()] == ["whole"]
    assert list(path.parent.iterdir()) == [path]


def test_parents_that_were_there_stay(tmp_path):
    with pytest.raises(RuntimeError), new_file(tmp_path / "file"):
        raise RuntimeError
    assert tmp_path.is_dir()


def test_an_existing_folder_is_kept_unless_overwritten(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "old").write_text("")
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path / "kept"):
        pass
    assert [entry.name for entry in (tmp_path / "kept").iterdir()] == ["old"]
    with new_folder(tmp_path / "kept", overwrite=True) as partial:
        (partial / "new").write_text("")
    assert [entry.name for entry in (tmp_path / "kept").iterdir()] == ["new"]


def test_recipes_that_differ_are_named():
    recorded = {"a": {"b": 1, "c": [1, 2]}, "d": None}
    require_same_recipe("x", recorded, {"a": {"b": 1, "c": (1, 2)}, "d": None})
    with pytest.raises(
        InputError, match=r"x holds.*another recipe(.|\n)*a.b: recorded 1, requested 2"
    ):
        require_same_recipe("x", recorded, {"a": {"b": 2, "c": [1, 2]}, "d": None})
    with pytest.raises(InputError, match="e: recorded null, requested 3"):
        require_same_recipe("x", recorded, {**recorded, "e": 3})
    with pytest.raises(InputError, match="d: recorded null, requested 0"):
        require_same_recipe("x", recorded, {**recorded, "d": 0})


def test_a_path_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"), new_file(tmp_path / "file" / "below"):
        pass


def test_partial_folders_of_killed_processes_only_are_removed(tmp_path):
    host = platform.node().partition(".")[0]
    for partial in (f"run.{host}-99999999", f"run.{host}-1", "run.elsewhere-99999999"):
        (tmp_path / f"{partial}.partial").mkdir()
    with new_folder(tmp_path / "run"):
        pass
    left = {"run", f"run.{host}-1.partial", "run.elsewhere-99999999.partial"}
    assert {path.name for path in tmp_path.iterdir()} == left
