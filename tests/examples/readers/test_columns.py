"""Data sets that are larger than the memory limit: in files without a name, with equal values."""

import gc
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import small

import keras_pruning as kp
from keras_pruning import Examples, InputError
from keras_pruning.examples.readers import columns
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


@pytest.mark.parametrize("scale", [None, 1 / 255])
def test_scores_from_disk_are_those_of_arrays(scale, small_limit):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    made = [
        Examples.from_dataset(dataset_of(PIXELS), scale=scale),
        Examples.from_arrays(PIXELS, LABELS, scale=scale),
    ]
    tables = [kp.score_checkpoints([model], examples, scores=["el2n", "vog"]) for examples in made]
    for name in ("el2n",):
        np.testing.assert_array_equal(tables[0][name], tables[1][name], strict=True)
