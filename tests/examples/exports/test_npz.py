"""Exported `.npz` files."""

import tracemalloc

import numpy as np
import pytest
from support import exported

import keras_pruning as kp


@pytest.mark.parametrize("kind", exported.INPUTS)
def test_the_source_reads_the_same_examples(kind, tmp_path):
    part = exported.examples(kind)
    path = kp.export(part, "npz", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"npz:{path}"))


@pytest.mark.parametrize("scale", [None, 0.5, 1 / 255])
def test_the_scale_is_kept(scale, tmp_path):
    part = exported.examples(scale=scale)
    path = kp.export(part, "npz", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"npz:{path}"))


def test_numpy_reads_it_without_pickles(tmp_path):
    part = exported.examples()
    with np.load(kp.export(part, "npz", tmp_path / "out"), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["x_train"], exported.values(part)["x"], strict=True)
        assert arrays["y_train"].tolist() == part.labels.tolist()
        assert arrays["ids_train"].tolist() == part.ids.tolist()
        assert arrays["class_names"].tolist() == part.class_names


def test_a_lost_class_stays_a_class(tmp_path):
    part = exported.examples()
    part = part.at(np.flatnonzero(part.labels != 2))
    path = kp.export(part, "npz", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"npz:{path}"))


def test_the_test_split_is_read_as_such(tmp_path):
    part = exported.examples(split="test")
    path = kp.export(part, "npz", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"npz:{path}", "test"))
    with pytest.raises(kp.InputError, match="Missing arrays.*Expected x_train, y_train, ids_train"):
        kp.load_examples(f"npz:{path}")


def test_texts_with_nul_are_refused(tmp_path):
    part = kp.Examples.from_arrays(["a", "b\0"], [0, 1])
    with pytest.raises(kp.InputError, match="without NUL characters.*parquet or tfds"):
        kp.export(part, "npz", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_ids_of_variable_length_are_written(tmp_path):
    """Many long ids are in NumPy's `StringDType`."""
    part = exported.examples()
    ids = part.ids.tolist()
    part.ids = np.array(ids, np.dtypes.StringDType())
    path = kp.export(part, "npz", tmp_path / "out")
    assert kp.load_examples(f"npz:{path}").ids.tolist() == ids


def test_memory_is_bounded_by_blocks(tmp_path):
    """The inputs are read in blocks of 16 MiB."""
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (24, 2**22))
    part = kp.Examples.from_arrays(mapped, np.arange(24) % 2)
    part.provenance  # noqa: B018
    tracemalloc.start()
    kp.export(part, "npz", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * 2**20
