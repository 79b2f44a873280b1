"""Exported Parquet files."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from support import exported

import keras_pruning as kp


@pytest.mark.parametrize("kind", exported.INPUTS)
def test_the_source_reads_the_same_examples(kind, tmp_path):
    part = exported.examples(kind)
    path = kp.export(part, "parquet", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"parquet:{path}"))


def test_scale_and_a_lost_class_are_kept(tmp_path):
    part = exported.examples(scale=0.5)
    part = part.at(np.flatnonzero(part.labels != 0))
    path = kp.export(part, "parquet", tmp_path / "out")
    exported.assert_same(part, kp.load_examples(f"parquet:{path}"))


def test_columns_that_others_read(tmp_path):
    part = exported.examples("rows")
    table = pq.read_table(kp.export(part, "parquet", tmp_path / "out"))
    assert table.column_names == ["id", "label", "x_0", "x_1", "x_2"]
    assert table["id"].to_pylist() == part.ids.tolist()
    assert table["label"].to_pylist() == [exported.CLASSES[label] for label in part.labels]
    np.testing.assert_array_equal(table["x_1"].to_numpy(), exported.values(part)["x"][:, 1])


def test_labels_without_names_are_numbers(tmp_path):
    part = exported.examples("rows", class_names=None, num_classes=12)
    path = kp.export(part, "parquet", tmp_path / "out")
    assert pq.read_table(path)["label"].to_pylist() == part.labels.tolist()
    exported.assert_same(part, kp.load_examples(f"parquet:{path}"))


def test_keys_named_like_other_columns(tmp_path):
    part = exported.examples("dictionary")
    table = pq.read_table(kp.export(part, "parquet", tmp_path / "out"))
    assert table.column_names == ["id", "label", "x/id", "text", "pixels", "below/age"]


def test_options_of_columns_read_it_as_any_table(tmp_path):
    part = exported.examples("rows")
    path = kp.export(part, "parquet", tmp_path / "out")
    again = kp.load_examples(f"parquet:{path}", input_columns=["x_2"])
    assert again.shape == (1,)
    assert again.class_names == sorted(exported.CLASSES)


def test_a_split_that_is_not_there_is_refused(tmp_path):
    path = kp.export(exported.examples(), "parquet", tmp_path / "out")
    with pytest.raises(kp.InputError, match="No test examples.*an export of train examples"):
        kp.load_examples(f"parquet:{path}", "test")
    with pytest.raises(kp.InputError, match="Invalid `image_size`"):
        kp.load_examples(f"parquet:{path}", image_size=8)
    drawn = [kp.load_examples(f"parquet:{path}", s, test_fraction=0.3) for s in ("train", "test")]
    assert sorted(map(len, drawn)) == [3, 7]


def test_a_damaged_mark_is_refused(tmp_path):
    path = kp.export(exported.examples(), "parquet", tmp_path / "out")
    table = pq.read_table(path)
    for text, received in (("{", "JSONDecodeError"), ('{"version": 9}', "version 9")):
        pq.write_table(table.replace_schema_metadata({"keras_pruning": text}), path)
        with pytest.raises(kp.InputError, match=f"Cannot read the mark.*Received: {received}"):
            kp.load_examples(f"parquet:{path}")


def test_a_missing_column_is_named(tmp_path):
    path = kp.export(exported.examples("rows"), "parquet", tmp_path / "out")
    pq.write_table(pq.read_table(path).drop_columns(["x_1"]), path)
    with pytest.raises(kp.InputError, match="Missing columns.*id, label, x_0, x_2"):
        kp.load_examples(f"parquet:{path}")


@pytest.mark.parametrize("key", ["a/b", 3, ""])
def test_keys_without_a_path_are_refused(key, tmp_path):
    part = kp.Examples.from_arrays({key: np.arange(4), "b": np.arange(4)}, [0, 1, 0, 1])
    for name in ("npz", "parquet", "tfds"):
        with pytest.raises(kp.InputError, match="Invalid keys.*strings without a slash"):
            kp.export(part, name, tmp_path / name)


def test_keys_like_positions_are_refused(tmp_path):
    part = kp.Examples.from_arrays({"0": np.arange(4), "1": np.arange(4)}, [0, 1, 0, 1])
    with pytest.raises(kp.InputError, match="as if it were a tuple"):
        kp.export(part, "npz", tmp_path / "out")
