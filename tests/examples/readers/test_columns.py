"""Data sets that are larger than the memory limit: in files without a name, with equal values."""

import gc
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import Examples, InputError
from keras_pruning.examples.readers import columns
from keras_pruning.examples.readers.elements import Batch
from keras_pruning.examples.sources import decoded_cache

COUNT = 300
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (COUNT, 6, 6, 1), dtype=np.uint8)
LABELS = np.arange(COUNT) % 3
ARRAYS = {
    "uint8": PIXELS,
    "float64": RANDOM.normal(size=(COUNT, 4)),
    "float16": RANDOM.normal(size=(COUNT, 4)).astype("float16"),
    "booleans": RANDOM.random((COUNT, 4)) < 0.5,
    "no columns": np.zeros((COUNT, 0), "float32"),
    "nested": {"b": PIXELS, "a": (LABELS, np.array([f"é{row}" for row in range(COUNT)]))},
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small_limit(cache, monkeypatch):
    """Bytes above which data go to disk, in blocks of a few rows."""
    monkeypatch.setattr(decoded_cache, "MEMORY_LIMIT", 1000)
    monkeypatch.setattr(columns, "_BLOCK", 500)


def dataset_of(x, y=LABELS):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(32)


def open_files(folder):
    """Returns the files below a folder that this process holds, also those without a name."""
    with open("/proc/self/maps") as maps:
        return {line.split(None, 5)[5].strip() for line in maps if str(folder) in line}


@pytest.mark.parametrize("kind", ARRAYS)
def test_examples_on_disk_equal_those_of_arrays(kind, cache, small_limit):
    ours = Examples.from_dataset(dataset_of(ARRAYS[kind]))
    theirs = Examples.from_arrays(ARRAYS[kind], LABELS)
    assert bool(open_files(cache)) == (kind != "no columns")
    assert ours.fingerprint == theirs.fingerprint
    assert ours.provenance == theirs.provenance
    rows = np.array([5, 299, 0, 5])
    read = [tf.nest.flatten(examples.stored_inputs(rows)) for examples in (ours, theirs)]
    for mine, other in zip(*read, strict=True):
        np.testing.assert_array_equal(mine, other, strict=True)
    batches = zip(ours.scoring_batches(7), theirs.scoring_batches(7), strict=True)
    for mine, other in batches:
        for part, expected in zip(tf.nest.flatten(mine), tf.nest.flatten(other), strict=True):
            np.testing.assert_array_equal(part, expected, strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [None, 1 / 255])
def test_scores_from_disk_are_those_of_arrays(scale, small_limit):
    made = [
        Examples.from_dataset(dataset_of(PIXELS), scale=scale),
        Examples.from_arrays(PIXELS, LABELS, scale=scale),
    ]
    models = [small.network(made[0], seed) for seed in (0, 1)]
    names = ["el2n", "vog"]
    tables = [kp.score_checkpoints(models, examples, scores=names) for examples in made]
    for name in names:
        np.testing.assert_array_equal(tables[0][name], tables[1][name], strict=True)


def test_files_go_away_with_the_examples(cache, small_limit):
    examples = Examples.from_dataset(dataset_of(PIXELS))
    part = examples.draw(0.5)
    assert open_files(cache) and list(cache.iterdir()) == []
    del examples
    gc.collect()
    np.testing.assert_array_equal(part.stored_inputs(0), PIXELS[part.stored_rows[0]])
    del part
    gc.collect()
    assert not open_files(cache)


_KILLED = """
import numpy as np, os, sys
from keras_pruning.examples.sources import decoded_cache
from keras_pruning import Examples
import keras
decoded_cache.MEMORY_LIMIT = 1000
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 20
    def __getitem__(self, number):
        if number == 19:
            print("reading", flush=True)
            sys.stdin.read()
        return np.zeros((10, 100)), np.arange(10)
Examples.from_dataset(Batches())
"""


@pytest.mark.slow
def test_a_killed_process_leaves_nothing_on_disk(cache):
    command = [sys.executable, "-c", _KILLED]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "reading\n"
        links = [os.readlink(link.path) for link in os.scandir(f"/proc/{process.pid}/fd")]
        assert any(str(cache) in link for link in links)
        process.send_signal(signal.SIGKILL)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("given", [False, True])
def test_a_shuffled_data_set_is_noticed_on_disk(given, small_limit):
    shuffled = tf.data.Dataset.from_tensor_slices((PIXELS, LABELS)).shuffle(COUNT)
    with pytest.raises(InputError, match="changes its"):
        Examples.from_dataset(shuffled, ids=np.arange(COUNT) if given else None)


def test_a_full_disk_is_one_clear_error(cache, small_limit):
    # A file that is always full, as Linux has one for tests.
    with pytest.MonkeyPatch.context() as patch, open("/dev/full", "r+b", buffering=0) as full:
        patch.setattr(columns.tempfile, "TemporaryFile", lambda **options: full)
        with pytest.raises(InputError, match="No space left.*KERAS_PRUNING_CACHE.*repeat"):
            Examples.from_dataset(dataset_of(PIXELS))


def test_a_disk_is_not_filled_to_its_end(cache, small_limit, monkeypatch):
    monkeypatch.setattr(columns, "_SPARE", 2**60)
    with pytest.raises(InputError, match="No space left.*KERAS_PRUNING_CACHE.*repeat"):
        Examples.from_dataset(dataset_of(PIXELS))


def test_a_cache_that_cannot_be_made_is_one_error(small_limit, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNING_CACHE", "/dev/null/cache")
    with pytest.raises(InputError, match="Cannot store the data set in /dev/null/cache"):
        Examples.from_dataset(dataset_of(PIXELS))


@pytest.mark.parametrize("count", [1, 63, 64, 65, 129, 1000])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_columns_join_batches_of_every_size(count, size, monkeypatch):
    monkeypatch.setattr(columns, "_BLOCK", 600)
    values = np.arange(3 * count, dtype="int32").reshape(count, 3)
    with columns.Columns() as read:
        for start in range(0, count, size):
            part = values[start : start + size]
            read.append(Batch(part, part[:, 0], None))
        x, y = read.finish()
    np.testing.assert_array_equal(x.array, values, strict=True)
    np.testing.assert_array_equal(y, values[:, 0], strict=True)


_PEAK = """
import re, keras, numpy as np
from keras_pruning import Examples
from keras_pruning.examples.sources import decoded_cache
def mebibytes(field):
    return int(re.search(field + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 256
    def __getitem__(self, number):
        return np.full((256, 4096), number, np.uint8), np.full(256, number % 3)
decoded_cache.MEMORY_LIMIT = {limit} * 2**20
before = mebibytes("VmRSS" if {limit} > 256 else "RssAnon")
open("/proc/self/clear_refs", "w").write("5")
examples = Examples.from_dataset(Batches())
print(mebibytes("VmHWM" if {limit} > 256 else "RssAnon") - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "most"), [(1024, 1.3 * 256), (32, 40)])
def test_memory_is_that_of_the_data_once(limit, most):
    """256 MiB of data: in memory once at the peak, and in a file not at all at the end."""
    command = [sys.executable, "-c", _PEAK.format(limit=limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < most
