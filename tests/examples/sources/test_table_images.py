"""Tables with a column of paths of images."""

import csv
from pathlib import Path

import numpy as np
import pytest
from support.image_folder import CLASSES, load, stored, write_images

from keras_pruning import InputError, load_examples


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "data")


@pytest.fixture
def table(tmp_path, images):
    """A table in the folder of the images, with paths relative to it."""

    def write(**changes):
        path = tmp_path / "data" / "list.csv"
        rows = [
            {
                "file": name,
                "label": name.split("/")[1],
                "split": name.split("/")[0],
                "key": f"k{row}",
            }
            for row, name in enumerate(images)
        ]
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({**row, **changes} for row in rows)
        return f"csv:{path}"

    return write


@pytest.mark.parametrize("split", ["train", "test"])
def test_equal_those_of_the_folder(tmp_path, table, split):
    examples = load_examples(table(), split, image_column="file")
    expected = load(tmp_path / "data", split)
    assert examples.ids.tolist() == expected.ids.tolist()
    assert examples.class_names == list(CLASSES)
    np.testing.assert_array_equal(examples.labels, expected.labels)
    np.testing.assert_array_equal(stored(examples), stored(expected))
    ((x, _),) = examples.batches(100)
    assert (x.dtype, float(x.numpy().max()) <= 1) == ("float32", True)


def test_ids_and_sizes_are_options(table):
    name = table()
    examples = load_examples(name, image_column="file", id_column="key", image_size=3)
    assert examples.ids[:2].tolist() == ["k0", "k1"]
    assert examples.shape == (3, 3, 3)


def test_a_part_is_drawn_for_testing(table, images):
    name = table(split="")
    options = {"image_column": "file", "split_column": None, "test_fraction": 0.5}
    with pytest.raises(InputError, match="`test_fraction`.*has the column 'split'"):
        load_examples(name, **options)
    path = Path(name.removeprefix("csv:"))
    lines = [line.rsplit(",", 2)[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    parts = [load_examples(name, split, **options) for split in ("train", "test")]
    assert sorted([*parts[0].ids, *parts[1].ids]) == sorted(images)
    assert len(load_examples(name, image_column="file")) == len(images)


def test_broken_and_missing_images(tmp_path, table):
    name = table()
    (tmp_path / "data" / "train" / "cat" / "001.png").unlink()
    with pytest.raises(InputError, match=r"Cannot read 1 of the files.*cat/001.png \(No such file"):
        load_examples(name, image_column="file")
    with pytest.warns(UserWarning, match="Skipped 1 of 12 files.*: train/cat/001.png"):
        assert len(load_examples(name, image_column="file", skip_broken=True)) == 11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_column": "no"}, "Cannot find the column 'no' of `dataset.image_column`"),
        ({"image_column": "number"}, "Invalid `image_column`. Expected paths.*Received: int64"),
        ({"skip_broken": True}, "Invalid `skip_broken`.*has no `image_column`"),
    ],
)
def test_refuses_options(tmp_path, options, message):
    (tmp_path / "t.csv").write_text("file,number,label\na.png,1,x\nb.png,2,y\n")
    with pytest.raises(InputError, match=message):
        load_examples(f"csv:{tmp_path}/t.csv", **options)


def test_the_same_image_twice_needs_ids(tmp_path, images):
    name = next(iter(images))
    (tmp_path / "data" / "twice.csv").write_text(f"file,label,key\n{name},x,1\n{name},y,2\n")
    table = f"csv:{tmp_path}/data/twice.csv"
    with pytest.raises(InputError, match="unique ids"):
        load_examples(table, image_column="file")
    assert len(load_examples(table, image_column="file", id_column="key")) == 2


def test_splits_of_one_class_are_not_mixed_up(tmp_path, images):
    train, test = list(images)[:2]
    path = tmp_path / "data" / "one.csv"
    path.write_text(f"file,label,split\n{train},x,train\n{test},x,test\n")
    for split, name in (("train", train), ("test", test)):
        examples = load_examples(f"csv:{path}", split, image_column="file")
        assert examples.ids.tolist() == [name]
        np.testing.assert_array_equal(stored(examples)[0], images[name])
