"""Files and folders appear whole or not at all, and never replace one another."""

import errno
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_pruning import InputError
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import AlreadyExists, clear_leftovers, new_file, new_folder
from keras_pruning.storage.processes import HOST

# No process has this number.
DEAD = 99999999


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
    for partial in (f"run.{HOST}-{DEAD}", f"run.{HOST}-1", f"run.elsewhere-{DEAD}"):
        (tmp_path / f"{partial}.partial").mkdir()
    with new_folder(tmp_path / "run"):
        pass
    left = {"run", f"run.{HOST}-1.partial", f"run.elsewhere-{DEAD}.partial"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_partial_files_of_killed_processes_only_are_removed(tmp_path):
    dead = [f".t.csv.{HOST}-{DEAD}-0a1b.partial"]
    others = [
        ".t.csv.1.partial",
        f".t.csv.{DEAD}.partial",
        f".t.csv.{HOST}-1-0a1b.partial",
        f".u.csv.{DEAD}.partial",
    ]
    others += [f"xt.csv.{HOST}-{DEAD}.partial", f"t.csv.{DEAD}.partial"]
    for name in dead + others:
        (tmp_path / name).write_text("")
    with new_file(tmp_path / "t.csv") as partial:
        partial.write_text("")
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", *others}


def test_leftovers_below_a_missing_folder_are_none(tmp_path):
    clear_leftovers(tmp_path / "missing" / "run")
    assert list(tmp_path.iterdir()) == []


def test_of_writers_at_once_exactly_one_wins(tmp_path):
    barrier = threading.Barrier(4)

    def write(number):
        try:
            with new_file(tmp_path / "file") as partial:
                partial.write_text(str(number))
                # All writers have looked for the file before one of them gives it its name.
                barrier.wait()
            return number
        except AlreadyExists:
            return None

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(write, range(4)))
    (winner,) = [number for number in outcomes if number is not None]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == str(winner)


def appear_meanwhile(path):
    with new_file(path) as partial:
        partial.write_text("mine")
        path.write_text("theirs")


@pytest.mark.parametrize("number", [None, errno.EPERM, errno.ENOTSUP])
def test_a_file_that_appears_meanwhile_is_kept(number, tmp_path, monkeypatch):
    """Also where the file system has no hard links."""
    if number is not None:

        def link(*paths):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "link", link)
        with new_file(tmp_path / "first") as partial:
            partial.write_text("whole")
        assert (tmp_path / "first").read_text() == "whole"
        (tmp_path / "first").unlink()
    with pytest.raises(AlreadyExists, match="file exists already and is not overwritten"):
        appear_meanwhile(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path):
    with pytest.raises(AlreadyExists), new_folder(tmp_path / "run") as partial:
        (partial / "mine").write_text("")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "theirs").write_text("")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["theirs"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_was_removed_is_not_published(overwrite, tmp_path):
    """Writers of files make it again, without the files that it had."""
    with (
        pytest.raises(InputError, match="its partial folder was removed before"),
        new_folder(tmp_path / "run", overwrite) as partial,
    ):
        (partial / "first").write_text("")
        shutil.rmtree(partial)
        with new_file(partial / "second") as file:
            file.write_text("")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaced_by_two_at_once_is_one_of_them(tmp_path):
    with new_folder(tmp_path / "view", overwrite=True) as slow:
        (slow / "slow").write_text("")
        with new_folder(tmp_path / "view", overwrite=True) as fast:
            (fast / "fast").write_text("")
    assert [path.name for path in (tmp_path / "view").iterdir()] == ["slow"]
    assert [path.name for path in tmp_path.iterdir()] == ["view"]


def test_a_folder_behind_a_link_is_written(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with new_folder(tmp_path / "link") as partial:
        (partial / "file").write_text("")
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["file"]


def test_a_link_to_nothing_is_never_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    with pytest.raises(AlreadyExists), new_file(tmp_path / "link"):
        pass
    assert (tmp_path / "link").is_symlink()


def interrupted(path):
    with new_folder(path) as partial:
        (partial / "half").write_text("")
        raise KeyboardInterrupt


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="No such file"), new_file(tmp_path / "result"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_kill_on_a_disk_without_links_leaves_no_empty_file(tmp_path, monkeypatch):
    """The finished file gets its name in one step there too."""

    def refuse(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    def killed(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", refuse)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "rename", killed)
        with new_file(tmp_path / "result") as partial:
            partial.write_text("whole")
    assert list(tmp_path.iterdir()) == []
    with new_file(tmp_path / "result") as partial:
        partial.write_text("whole")
    assert (tmp_path / "result").read_text() == "whole"
