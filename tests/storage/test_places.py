"""Places that cannot be written are named, before any work is done for them."""

import errno
import os
import subprocess
import tempfile

import h5py
import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.storage import new_file, new_folder, require_writable, write_json


def test_a_new_path_and_an_existing_folder_are_fine(tmp_path):
    for path in ("new", "deep/er/new", "."):
        require_writable(tmp_path / path)
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_is_fine(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    require_writable(tmp_path / "link")
    require_writable(tmp_path / "link" / "new")


@pytest.mark.parametrize("below", ["", "run", "deep/run"])
def test_a_link_to_nothing_is_named(below, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    with pytest.raises(InputError, match="link.* a link to (a )?missing|link is in the way"):
        require_writable(tmp_path / "link" / below)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file is in the way. Expected a folder. Received: a file"):
        require_writable(tmp_path / "file" / "deep" / "run")


def test_a_folder_that_cannot_be_written_is_named():
    # The tests may run as root, who may write into any folder of a disk.
    with pytest.raises(InputError, match="Cannot write /proc/1/run: .*Expected a place"):
        require_writable("/proc/1/run")


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), None])
def test_a_full_disk_is_named(error, tmp_path):
    # HDF5 has the number of the error in its text only.
    error = error or OSError("Can't write (errno = 28, error message = 'No space left on device')")
    for new in (new_file, new_folder):
        with (
            pytest.raises(InputError, match="run: no space is left. Expected free space in /.*Rec"),
            new(tmp_path / "run"),
        ):
            raise error
    assert list(tmp_path.iterdir()) == []


def test_other_errors_in_a_new_folder_stay(tmp_path):
    """A missing file that a training run reads is no fault of the output."""
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "run"):
        (tmp_path / "missing").read_text()


def test_a_full_output_is_found_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(InputError, match="new: no space is left"):
        require_writable(tmp_path / "new")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kilobytes, which only root can mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_tables_on_a_full_disk_are_one_message(small_disk):
    ids, values = np.arange(20000), np.random.default_rng(0).normal(size=20000)
    table = kp.ScoreTable(ids, np.zeros(20000, int), {"el2n": values})
    for save in (table.save, table.to_csv):
        with pytest.raises(InputError, match=f"no space is left. Expected free.* in {small_disk}"):
            save(small_disk / "scores")
        assert list(small_disk.iterdir()) == []


def write_folder(path, write):
    with new_folder(path) as partial:
        write(partial / "file")


def test_folders_on_a_full_disk_are_one_message(small_disk):
    def write_hdf5(path):
        with h5py.File(path, "w") as file:
            file["x"] = np.zeros(10**5)

    for write in (write_hdf5, lambda path: write_json(path, {"x": "y" * 10**5})):
        with pytest.raises(InputError, match="run: no space is left"):
            write_folder(small_disk / "run", write)
        assert list(small_disk.iterdir()) == []
