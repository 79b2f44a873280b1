"""Data sets that TFDS has prepared, of Fashion-MNIST from Debian's package, else of the digits."""

import os
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from support.tfds_images import COUNTS, source_arrays, store, store_images

from keras_pruning import InputError, load_examples

FORMATS = ("tfrecord", "array_record")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The images in both formats: three files and one."""
    folder = tmp_path_factory.mktemp("tfds")
    for file_format in FORMATS:
        store_images(folder, f"clothes_{file_format}", shards=3, file_format=file_format)
        store_images(folder, f"whole_{file_format}", file_format=file_format)
    return folder


def stored(examples):
    return examples.stored_inputs(np.arange(len(examples)))


def positions(folder, name, split):
    """The position of each example by its id, read by TFDS one file at a time."""
    builder = tfds.builder(name, data_dir=folder)
    found = {}
    for file in builder.info.splits[split].file_instructions:
        if "array_record" in file.filename:
            from array_record.python.array_record_data_source import ArrayRecordDataSource

            records = ArrayRecordDataSource([file.filename])
        else:
            import tensorflow as tf

            records = tf.data.TFRecordDataset(file.filename).as_numpy_iterator()
        for index, record in enumerate(records):
            example = builder.info.features.deserialize_example_np(record)
            found[f"{os.path.basename(file.filename)}__{index}"] = int(example["position"])
    return found


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("kind", ["clothes", "whole"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_ids_pixels_and_labels_equal_the_source(data, file_format, kind, split):
    name = f"{kind}_{file_format}"
    examples = load_examples(f"tfds:{name}", split, data_dir=str(data))
    pixels, labels = source_arrays(split)
    by_id = positions(data, name, split)
    # Also the order: file after file, as they are stored.
    assert examples.ids.tolist() == list(by_id)
    rows = list(by_id.values())
    assert sorted(rows) == list(range(COUNTS[split])) != rows
    np.testing.assert_array_equal(stored(examples), pixels[rows])
    np.testing.assert_array_equal(examples.labels, labels[rows])
    assert examples.class_names[9] == "class 9"
    assert (examples.num_classes, examples.split) == (10, split)
    assert examples.source == f"tfds:{name}/1.2.3"


def test_ids_are_the_ids_of_tfds(data):
    builder = tfds.builder("clothes_tfrecord", data_dir=data)
    config = tfds.ReadConfig(add_tfds_id=True)
    known = {
        example["tfds_id"].decode(): (example["image"], example["label"])
        for example in tfds.as_numpy(builder.as_dataset(split="train", read_config=config))
    }
    examples = load_examples("tfds:clothes_tfrecord", data_dir=str(data))
    assert set(examples.ids) == set(known)
    for row, name in enumerate(examples.ids):
        np.testing.assert_array_equal(examples.stored_inputs(row), known[name][0])
        assert examples.labels[row] == known[name][1]


def test_names_with_a_version(data):
    plain = load_examples("tfds:whole_tfrecord", data_dir=str(data))
    exact = load_examples("tfds:whole_tfrecord:1.2.3", data_dir=str(data))
    assert plain.fingerprint == exact.fingerprint


@pytest.mark.parametrize("file_format", FORMATS)
def test_decodes_once(data, cache, monkeypatch, file_format):
    name = f"tfds:whole_{file_format}"
    first = load_examples(name, data_dir=str(data))
    monkeypatch.setattr("keras_pruning.examples.sources.tfds_records._dataset", None)
    assert load_examples(name, data_dir=str(data)).fingerprint == first.fingerprint
    assert len(list(cache.iterdir())) == 1
    with pytest.raises(InputError, match="Cannot read the split 'test'"):
        load_examples(name, "test", data_dir=str(data))


def test_a_data_set_prepared_anew_is_decoded_anew(tmp_path):
    for pixel in (1, 2):
        features = {"image": tfds.features.Image(shape=(2, 2, 1)), "label": digit()}
        example = {"image": np.full((2, 2, 1), pixel, "uint8"), "label": 0}
        store(tmp_path, "tiny", features, {"train": [example]})
        assert (stored(load_examples("tfds:tiny", data_dir=str(tmp_path))) == pixel).all()
        shutil.rmtree(tmp_path / "tiny")


def digit(classes=10):
    return tfds.features.ClassLabel(num_classes=classes)


def test_test_falls_back_on_validation(tmp_path):
    store_images(tmp_path, "two", ("train", "validation"))
    examples = load_examples("tfds:two", "test", data_dir=str(tmp_path))
    assert examples.ids[0] == "two-validation.tfrecord-00000-of-00001__0"
    assert (len(examples), examples.split) == (80, "test")


@pytest.mark.parametrize("labels", [{"validation": 2}, {"validation": -1}, {}])
def test_validation_replaces_a_test_split_without_labels(tmp_path, labels):
    features = {"image": tfds.features.Image(shape=(2, 2, 1)), "label": digit(3)}
    splits = {
        split: [{"image": np.full((2, 2, 1), 7 * row, "uint8"), "label": label} for row in (1, 2)]
        for split, label in {"train": 1, "test": -1, **labels}.items()
    }
    store(tmp_path, "rivals", features, splits)
    if labels.get("validation") == 2:
        examples = load_examples("tfds:rivals", "test", data_dir=str(tmp_path))
        assert examples.labels.tolist() == [2, 2]
        assert "validation" in examples.ids[0]
    else:
        with pytest.raises(InputError, match=r"No labels in test.*rivals/1.2.3"):
            load_examples("tfds:rivals", "test", data_dir=str(tmp_path))
    assert len(load_examples("tfds:rivals", data_dir=str(tmp_path))) == 2


def test_names_the_splits_there_are(tmp_path):
    store_images(tmp_path, "other", ("dev", "extra"))
    for split in ("train", "test"):
        with pytest.raises(InputError, match=rf"No split '{split}'.*other/1.2.3.*: dev, extra, or"):
            load_examples("tfds:other", split, data_dir=str(tmp_path))


def test_without_supervised_keys_the_first_by_name_are_taken(tmp_path):
    image = tfds.features.Image(shape=(2, 2, 1))
    features = {"b": image, "a": image, "z": digit(3), "y": digit(2)}
    pixels = np.ones((2, 2, 1), "uint8")
    example = {"b": 9 * pixels, "a": 5 * pixels, "z": 2, "y": 1}
    store(tmp_path, "many", features, {"train": [example]})
    examples = load_examples("tfds:many", data_dir=str(tmp_path))
    assert (stored(examples) == 5).all()
    assert (examples.labels.tolist(), examples.num_classes) == ([1], 2)


def varied(count=6):
    rng = np.random.default_rng(0)
    sizes = [(5 + row, 9, 3) for row in range(count)]
    return [
        {"image": rng.integers(0, 256, size, "uint8"), "label": row % 3}
        for row, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("file_format", FORMATS)
def test_images_of_varied_size_need_an_image_size(tmp_path, file_format):
    features = {"image": tfds.features.Image(), "label": digit(3)}
    images = varied()
    store(tmp_path, "varied", features, {"train": images}, file_format=file_format)
    with pytest.raises(InputError, match=r"shape \(None, None, 3\). Set `dataset.image_size`"):
        load_examples("tfds:varied", data_dir=str(tmp_path))
    examples = load_examples("tfds:varied", data_dir=str(tmp_path), image_size=4)
    assert examples.shape == (4, 4, 3)
    expected = [
        np.asarray(Image.fromarray(example["image"]).resize((4, 4), Image.Resampling.BILINEAR))
        for example in images
    ]
    # TFDS stores them in an order of its own.
    order = [np.argmax([np.array_equal(x, y) for y in expected]) for x in stored(examples)]
    assert sorted(order) == list(range(6))
    assert examples.labels.tolist() == [row % 3 for row in order]


@pytest.mark.parametrize(
    ("features", "example", "message"),
    [
        (
            {"image": tfds.features.Image(shape=(2, 2, 1)), "name": np.int64},
            {"image": np.zeros((2, 2, 1), "uint8"), "name": 1},
            "Expected an Image and a ClassLabel.*Received: image, name",
        ),
        (
            {"pixels": tfds.features.Tensor(shape=(2,), dtype=np.float32), "label": digit()},
            {"pixels": np.zeros(2, "float32"), "label": 1},
            "Received: label, pixels",
        ),
        (
            {"image": tfds.features.Image(shape=(2, 2, 1), dtype=np.uint16), "label": digit()},
            {"image": np.zeros((2, 2, 1), "uint16"), "label": 1},
            r"Expected uint8 .*Received: uint16 of shape \(2, 2, 1\)",
        ),
        (
            {"image": tfds.features.Image(shape=(2, 2, 1)), "label": digit()},
            {"image": np.zeros((2, 2, 1), "uint8"), "label": -1},
            r"No labels in train of .* odd/1.2.3. .*Received: -1.*The splits are train\.",
        ),
    ],
)
def test_refuses_features(tmp_path, features, example, message):
    store(tmp_path, "odd", features, {"train": [example]})
    with pytest.raises(InputError, match=message):
        load_examples("tfds:odd", data_dir=str(tmp_path))


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: os.truncate(path, 99)])
def test_names_a_data_set_with_a_damaged_file(tmp_path, cache, file_format, damage):
    store_images(tmp_path, "hurt", shards=2, file_format=file_format)
    damage(next(tmp_path.glob("hurt/1.2.3/hurt-train*00001-of-00002")))
    with pytest.raises(InputError, match=r"Cannot read the split 'train' of .* hurt/1.2.3 in "):
        load_examples("tfds:hurt", data_dir=str(tmp_path))
    assert not cache.exists() or not list(cache.iterdir())
