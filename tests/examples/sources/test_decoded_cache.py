"""The cache of decoded images as a folder: its place, its limit, its leftovers and its command."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from support.small import run

from keras_pruning import InputError
from keras_pruning.examples.sources import decoded_cache, decoded_images
from keras_pruning.storage.processes import HOST


def store(location, count=1000):
    """Decodes images of 1 KiB each into an entry of the cache and returns its folder."""
    key = {"location": location, "split": "train"}
    pixels = np.zeros((32, 32, 1), "uint8")
    decoded_images.load(key, count, range(count), lambda row: (pixels, 0, f"{row}"))
    return decoded_cache.folder_of(key)


def used(folder, hours):
    """Sets the last use of an entry to so many hours ago."""
    moment = time.time() - 3600 * hours
    os.utime(folder / "entry.json", (moment, moment))


def test_the_place_of_the_cache(monkeypatch, tmp_path):
    assert decoded_cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("KERAS_PRUNING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert str(decoded_cache.cache_folder()) == "/xdg/keras_pruning"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert str(decoded_cache.cache_folder()) == "/home/me/.cache/keras_pruning"


def test_the_entries_used_longest_ago_are_removed(monkeypatch):
    folders = [store(name) for name in "abc"]
    for folder, hours in zip(folders, (2, 4, 3), strict=True):
        used(folder, hours)
    # Three entries fit, of 1.0 MiB each.
    monkeypatch.setenv("KERAS_PRUNING_CACHE_LIMIT", str(3.5 / 1024))
    last = store("d")
    assert [entry.path for entry in decoded_cache.entries()] == [folders[2], folders[0], last]


def test_entries_in_use_and_the_newest_stay(monkeypatch):
    monkeypatch.setenv("KERAS_PRUNING_CACHE_LIMIT", "0")
    first, second = store("a"), store("b")
    assert first.is_dir()
    assert second.is_dir()
    used(first, 2)
    used(second, 2)
    store("b")
    third = store("c")
    assert not first.exists()
    assert second.is_dir()
    assert third.is_dir()


@pytest.mark.parametrize("limit", ["-1", "ten", "nan", "inf"])
def test_refuses_a_limit(monkeypatch, limit):
    monkeypatch.setenv("KERAS_PRUNING_CACHE_LIMIT", limit)
    with pytest.raises(InputError, match=f"Expected a number of GiB.*Received: '{limit}'"):
        store("a")
    assert not decoded_cache.cache_folder().exists()


def partial(cache, middle, age=0):
    """Makes a partial folder as a process leaves it."""
    folder = cache / f"{'0' * 32}.{middle}.partial"
    (folder / "entry").mkdir(parents=True)
    file = folder / "entry" / "images.npy"
    file.write_bytes(b"x")
    for path in (file, file.parent, folder):
        os.utime(path, (time.time() - age, time.time() - age))
    return folder


def test_leftovers_of_killed_processes_are_cleared(cache):
    pid = os.getpid()
    gone = [
        partial(cache, f"{HOST}-4194399.abc"),
        partial(cache, "elsewhere-1.abc", age=90_000),
        partial(cache, "tmpabc_d", age=90_000),
        # The number of a killed process may have been given to another one.
        partial(cache, f"{HOST}-{pid}.old", age=90_000),
    ]
    kept = [
        partial(cache, f"{HOST}-{pid}.abc"),
        partial(cache, "elsewhere-1.abd"),
        partial(cache, "tmpabc_e"),
        cache / "mine.partial",
    ]
    kept[-1].mkdir()
    store("a")
    assert not any(folder.exists() for folder in gone)
    assert all(folder.exists() for folder in kept)


DECODE_FOR_EVER = """
import os, time
from keras_pruning.examples.sources import decoded_images

def decode(row):
    time.sleep(0.001)
    return __import__("numpy").zeros((8, 8, 1), "uint8"), 0, str(row)

decoded_images.load({"location": "a"}, 10**6, range(10**6), decode)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_nothing_for_ever(cache):
    process = subprocess.Popen([sys.executable, "-c", DECODE_FOR_EVER])
    while not list(cache.glob("*.partial/entry/images.npy")):
        time.sleep(0.05)
    process.kill()
    process.wait()
    (left,) = cache.glob("*.partial")
    assert store("b").is_dir()
    assert not left.exists()


def test_a_full_disk_is_found_before_writing(cache, monkeypatch):
    usage = type("Usage", (), {"free": 2**20 - 2**10})
    monkeypatch.setattr(decoded_cache.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match=r"Received: 0.00 GiB of images, but 0.00 GiB are free"):
        store("a", count=1024)
    assert not list(cache.iterdir())


def test_the_command_shows_and_clears(cache, capsys):
    assert run("cache") == 0
    assert "0 entries, 0.0 MiB of at most 100.0 GiB" in capsys.readouterr().out
    store("/data/\x1b[31mred")
    damaged = store("b")
    (damaged / "entry.json").write_text("{")
    foreign = [cache / "notes", cache / ("0" * 31)]
    for folder in foreign:
        folder.mkdir()
    assert run("cache") == 0
    shown = capsys.readouterr().out
    assert f"Decoded images in {cache}\n" in shown
    assert "\x1b" not in shown
    assert r"'/data/\x1b[31mred', 'train'" in shown
    assert "'damaged', 'unknown'" in shown
    assert "2 entries, 2.0 MiB" in shown
    assert len(decoded_cache.entries()) == 2
    assert run("cache", "--clear") == 0
    assert "Removed 2 entries" in capsys.readouterr().out
    assert sorted(cache.iterdir()) == sorted(foreign)
