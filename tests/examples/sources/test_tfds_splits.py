"""Splits of TFDS that are chosen, parts of them, and a test part that is drawn."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.tfds_images import store, store_images

from keras_pruning import InputError, load_examples

FORMATS = ("tfrecord", "array_record")


@pytest.fixture(scope="module", params=FORMATS)
def data(request, tmp_path_factory):
    """Splits `dev` and `extra`, of three files each."""
    folder = tmp_path_factory.mktemp("tfds")
    store_images(folder, "other", ("dev", "extra"), shards=3, file_format=request.param)
    return str(folder)


def load(data, split="train", **options):
    return load_examples("tfds:other", split, data_dir=data, **options)


def test_a_chosen_split(data):
    train = load(data, train_split="dev", test_split="extra")
    test = load(data, "test", train_split="dev", test_split="extra")
    assert (len(train), len(test)) == (300, 80)
    assert ("dev" in train.ids[0], "extra" in test.ids[0]) == (True, True)
    assert (train.split, test.split) == ("train", "test")


def test_parts_of_a_split_keep_their_ids_and_pixels(data):
    whole = load(data, train_split="dev")
    first = load(data, train_split="dev[:40%]")
    rest = load(data, "test", train_split="dev[:40%]", test_split="dev[40%:]")
    assert (len(first), len(rest)) == (120, 180)
    assert set(first.ids) | set(rest.ids) == set(whole.ids)
    for part in (first, rest):
        rows = [whole.ids.tolist().index(name) for name in part.ids]
        pixels = part.stored_inputs(np.arange(len(part)))
        np.testing.assert_array_equal(pixels, whole.stored_inputs(rows))
        np.testing.assert_array_equal(part.labels, whole.labels[rows])


def test_a_sum_of_splits(data):
    assert len(load(data, train_split="dev+extra")) == 380


def test_a_test_part_is_drawn_from_the_training_split(data):
    options = {"train_split": "dev", "test_fraction": 0.2}
    train, test = load(data, **options), load(data, "test", **options)
    assert (len(train), len(test), len(set(train.ids) | set(test.ids))) == (240, 60, 300)


@pytest.mark.parametrize("name", ["train", "dev[", "dev[:0%]", "dev+no"])
def test_refuses_a_split_that_is_not_there(data, name):
    with pytest.raises(InputError, match=r"No split .* of its splits: dev, extra, or a part"):
        load(data, train_split=name)


def test_refuses_a_fraction_beside_a_chosen_test_split(data):
    with pytest.raises(InputError, match="Invalid `test_fraction`.*`test_split`"):
        load(data, train_split="dev", test_split="extra", test_fraction=0.2)


@pytest.mark.parametrize(
    ("train", "test"),
    [("dev", "dev[80%:]"), ("dev[:80%]", "dev[50%:]"), ("dev", "dev"), ("dev+extra", "extra")],
)
def test_refuses_splits_that_overlap(data, train, test):
    with pytest.raises(InputError, match="Training and test examples of .*other.* overlap"):
        load(data, "test", train_split=train, test_split=test)


def test_the_fallback_on_validation_may_not_be_trained_on(tmp_path):
    store_images(tmp_path, "two", ("train", "validation"))
    with pytest.raises(InputError, match=r"overlap.*train\+validation to train on"):
        load_examples("tfds:two", "test", data_dir=str(tmp_path), train_split="train+validation")


def test_validation_in_place_of_unlabelled_test_examples_too(tmp_path):
    pixels = [np.full((2, 2, 1), 7 * row, "uint8") for row in (1, 2)]
    splits = {
        split: [{"image": image, "label": label} for image in pixels]
        for split, label in {"train": 1, "test": -1, "validation": 2}.items()
    }
    features = {
        "image": tfds.features.Image(shape=(2, 2, 1)),
        "label": tfds.features.ClassLabel(num_classes=3),
    }
    store(tmp_path, "rivals", features, splits)
    assert len(load_examples("tfds:rivals", "test", data_dir=str(tmp_path))) == 2
    with pytest.raises(InputError, match="overlap.*validation to test with"):
        load_examples("tfds:rivals", "test", data_dir=str(tmp_path), train_split="train+validation")
