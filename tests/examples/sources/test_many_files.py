"""Folders of many files: what is read about each, how often, and what is kept of it."""

import hashlib
import os
import threading
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from keras_pruning import InputError
from keras_pruning.examples.sources import folder, listed_files, listed_images
from keras_pruning.examples.sources.folder_layout import layout_of
from keras_pruning.examples.sources.folder_scan import FolderScan


@pytest.fixture
def tree(tmp_path):
    """Files of two classes in both splits, in folders below them and behind a link."""
    for path in ("train/a/1.png", "train/a/sub/deep/2.png", "train/b/3.png", "test/b/x y.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    (tmp_path / "train/b/4.png").symlink_to(tmp_path / "train/a/1.png")
    (tmp_path / "train/b/5.png").symlink_to(tmp_path / "nowhere.png")
    return tmp_path


def scan(location):
    return FolderScan(layout_of(location), listed_images.ENDINGS)


@pytest.mark.parametrize("part", [".", "train"])
def test_ids_and_digest_are_those_of_the_paths(part, tree):
    """As computed from each path by itself, so that earlier caches stay valid."""
    found, digest = scan(tree / part), hashlib.sha256()
    listed = [file for files in found.files.values() for file in files]
    assert len(listed) == (6 if part == "." else 5)
    for file in listed:
        assert file.id == os.path.relpath(file.path, tree / part)
        state = "broken"
        if os.path.exists(file.path):
            stat = os.stat(file.path)
            state = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"
        digest.update(f"{file.id!a}\0{state}\n".encode())
    assert found.digest == digest.hexdigest()


def test_each_file_is_looked_at_once(tree, monkeypatch):
    layout, stat, seen = layout_of(tree), os.stat, []
    monkeypatch.setattr(os, "stat", lambda path, **options: seen.append(path) or stat(path))
    found = FolderScan(layout, listed_images.ENDINGS)
    assert sum(map(len, found.files.values())) == 6
    assert [path for path in seen if str(path).endswith(".png")] == []


def test_a_listed_file_takes_its_names_only(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(1000):
            (tmp_path / name / f"{number:04d}.png").touch()
    scan(tmp_path)
    tracemalloc.start()
    found = scan(tmp_path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.files["train"]) == 2000
    # What the system says about a file takes more than half a KiB
    assert peak < kept + 2000 * 200


@pytest.fixture
def images(tmp_path):
    """30 grayscale images and a coloured last one, in two classes."""
    for number in range(31):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (4, 5, 3) if number == 29 else (4, 5)
        Image.fromarray(np.full(shape, number, "uint8")).save(path)
    return tmp_path / "images"


@pytest.mark.parametrize("threads", [True, False])
def test_headers_come_in_blocks(images, monkeypatch, tmp_path, threads):
    expected = folder.load(images, "train").stored_inputs(slice(None)).copy()
    monkeypatch.setenv("KERAS_PRUNING_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(listed_images, "_BLOCK", 8)
    monkeypatch.setattr(listed_images, "_TASK", 3)
    monkeypatch.setattr(listed_images, "_TIMED", 3)
    monkeypatch.setattr(listed_images, "_WAITING", -1.0 if threads else 2.0)
    sizes, readers, headers = [], set(), listed_images._headers

    def reading(broken, files):
        sizes.append(len(files))
        readers.add(threading.get_ident())
        return headers(broken, files)

    monkeypatch.setattr(listed_images, "_headers", reading)
    found = folder.load(images, "train")
    # The last block has seven
    assert sorted(sizes) == sorted([3, 3, 2] * 3 + [3, 3, 1])
    assert (len(readers) > 1) == threads
    assert found.shape == (4, 5, 3)
    np.testing.assert_array_equal(found.stored_inputs(slice(None)), expected)


@pytest.mark.parametrize("threads", [True, False])
def test_threads_read_where_the_disk_is_waited_for(images, monkeypatch, threads):
    monkeypatch.setattr(listed_images, "_TASK", 3)
    monkeypatch.setattr(listed_images, "_TIMED", 3)
    readers, header = set(), listed_images._header

    def reading(broken, file):
        readers.add(threading.get_ident())
        end = time.thread_time() + 0.002
        if threads:
            time.sleep(0.002)
        while not threads and time.thread_time() < end:
            pass
        return header(broken, file)

    monkeypatch.setattr(listed_images, "_header", reading)
    folder.load(images, "train")
    assert (len(readers) > 1) == threads


def test_every_header_is_compared(images, monkeypatch):
    monkeypatch.setattr(listed_images, "_BLOCK", 8)
    monkeypatch.setattr(listed_images, "_TASK", 3)
    monkeypatch.setattr(listed_images, "_TIMED", 3)
    Image.fromarray(np.zeros((6, 5), "uint8")).save(images / "b" / "99.png")
    with pytest.raises(InputError, match="5 × 4 in a/00.png, 5 × 6 in b/99.png"):
        folder.load(images, "train")


def test_the_progress_counts_files_of_both_steps(images, monkeypatch):
    bars = []

    class Bar(listed_files_bar()):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options | {"disable": False, "file": Silent()})
            bars.append(self)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    folder.load(images, "train")
    counted = {bar.desc.removesuffix(": "): bar.n for bar in bars}
    assert counted == {"Listing": 31, "Reading headers": 31, "Decoding": 31}


class Silent:
    def write(self, text):
        pass

    def flush(self):
        pass


def listed_files_bar():
    from tqdm import tqdm

    return tqdm


def test_ids_are_compared_only_if_some_are_missing():
    files = [listed_files.File(f"{row}", 0, "") for row in range(3)]
    listed_files.warn_of_skipped(files, Uncountable(3))
    with pytest.warns(UserWarning, match="Skipped 1 of 3 files, which cannot be read: 1"):
        listed_files.warn_of_skipped(files, ["0", "2"])


class Uncountable:
    def __init__(self, count):
        self._count = count

    def __len__(self):
        return self._count
