"""Exported data sets of TFDS."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import exported

import keras_pruning as kp
from keras_pruning.examples.array_spec import flattened
from keras_pruning.examples.exports import tfds as module

IN_ORDER = tfds.ReadConfig(interleave_cycle_length=1)


def read(path, split="train"):
    """The records of an exported data set in order, and its information."""
    builder = tfds.builder_from_directory(path)
    dataset = builder.as_dataset(split=split, read_config=IN_ORDER)
    return list(dataset.as_numpy_iterator()), builder.info


def with_tuples(record):
    """A record with a tuple in the place of the keys 0, 1 and so on."""
    if isinstance(record, dict) and "0" in record:
        return tuple(record[str(place)] for place in range(len(record)))
    return record


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("kind", exported.INPUTS)
def test_tfds_reads_the_same_values(kind, tmp_path):
    part = exported.examples(kind)
    records, info = read(kp.export(part, "tfds", tmp_path / "out"))
    (name,) = set(records[0]) - {"id", "label"}
    assert info.supervised_keys == (name, "label")
    assert [record["id"].decode() for record in records] == part.ids.tolist()
    assert [record["label"] for record in records] == part.labels.tolist()
    assert info.features["label"].names == part.class_names
    assert info.splits["train"].num_examples == len(part)
    # Leaf by leaf, by the paths of the inputs
    rows = [flattened(with_tuples(record[name]), "x") for record in records]
    for path, array in exported.values(part).items():
        for row, expected in zip(rows, array, strict=True):
            if array.dtype == object:
                read_back = np.vectorize(as_text, otypes=[object])(row[path])
                np.testing.assert_array_equal(read_back, expected)
            else:
                np.testing.assert_array_equal(row[path], expected, strict=True)


@pytest.mark.parametrize(
    ("kind", "name", "feature"),
    [
        ("images", "image", tfds.features.Image),
        ("gray images", "image", tfds.features.Image),
        ("images without channels", "x", tfds.features.Tensor),
        ("texts", "text", tfds.features.Text),
        ("dictionary", "x", tfds.features.FeaturesDict),
    ],
)
def test_kinds_of_features(kind, name, feature, tmp_path):
    part = exported.examples(kind)
    _, info = read(kp.export(part, "tfds", tmp_path / "out"))
    assert type(info.features[name]) is feature
    assert type(info.features["label"]) is tfds.features.ClassLabel
    assert type(info.features["id"]) is tfds.features.Text


def test_the_path_gives_name_and_version(tmp_path):
    part = exported.examples()
    kp.export(part, "tfds", tmp_path / "My data" / "2.0.1")
    kp.export(part, "tfds", tmp_path / "7 kept")
    assert read(tmp_path / "My data" / "2.0.1")[1].full_name == "my_data/2.0.1"
    assert read(tmp_path / "7 kept")[1].full_name == "pruned_7_kept/1.0.0"


def test_the_source_reads_the_same_examples(tmp_path, cache):
    part = exported.examples()
    kp.export(part, "tfds", tmp_path / "mine" / "1.0.0")
    again = kp.load_examples("tfds:mine", data_dir=tmp_path)
    assert again.ids.tolist() == part.ids.tolist()
    assert again.labels.tolist() == part.labels.tolist()
    assert again.class_names == part.class_names
    exported.assert_equal_values(exported.values(part), exported.values(again))


def test_several_shards_keep_the_order(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BYTES_OF_SHARD", 400)
    part = exported.examples()
    records, info = read(kp.export(part, "tfds", tmp_path / "out"))
    assert info.splits["train"].num_shards == 4
    assert [record["id"].decode() for record in records] == part.ids.tolist()


@pytest.mark.slow
def test_it_opens_at_another_place_without_our_code(tmp_path):
    kp.export(exported.examples(), "tfds", tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    code = (
        "import sys, tensorflow_datasets as tfds\n"
        "builder = tfds.builder_from_directory('moved')\n"
        "print(len(list(builder.as_dataset(split='train', as_supervised=True))))\n"
        "assert 'keras_pruning' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "10\n"


@pytest.mark.parametrize("name", [" cat", "a\nb", "", "\t"])
def test_class_names_that_tfds_changes_are_refused(name, tmp_path):
    part = exported.examples(class_names=[name, "b", "c"])
    with pytest.raises(kp.InputError, match="Invalid class names for TFDS.*npz or parquet"):
        kp.export(part, "tfds", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_split_that_tfds_does_not_take_is_refused(tmp_path):
    with pytest.raises(kp.InputError, match="Invalid name of a split.*'my split'"):
        kp.export(exported.examples(split="my split"), "tfds", tmp_path / "out")
