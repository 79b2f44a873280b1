"""Folders without splits, with other names of splits, of texts, and of images of other formats."""

import shutil

import numpy as np
import pytest
from PIL import Image
from support.image_folder import CLASSES, load, stored, write_images

from keras_pruning import InputError, load_examples

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    write_images(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Testing"])
def test_other_names_of_the_test_part(folder, name):
    expected = load(folder, "test")
    (folder / "test").rename(folder / name)
    examples = load(folder, "test")
    assert examples.ids[0] == f"{name}/bird/000.png"
    np.testing.assert_array_equal(stored(examples), stored(expected))


def test_a_folder_of_classes_is_all_training_examples(folder):
    classes = folder / "train"
    whole = load(classes)
    assert whole.ids[:2].tolist() == ["bird/000.png", "bird/001.png"]
    np.testing.assert_array_equal(stored(whole), stored(load(folder)))
    with pytest.raises(InputError, match=r"No test examples in .*Set `test_fraction` to"):
        load(classes, "test")
    parts = {split: load(classes, split, test_fraction=0.25) for split in ("train", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 9, "test": 3}
    assert np.bincount(parts["test"].labels).tolist() == [1, 1, 1]
    assert sorted([*parts["train"].ids, *parts["test"].ids]) == whole.ids.tolist()


def test_train_alone_can_be_scored_and_divided(folder):
    shutil.rmtree(folder / "test")
    assert len(load(folder)) == 12
    part = load(folder, "test", test_fraction=0.25)
    assert all(name.startswith("train/") for name in part.ids)
    with pytest.raises(InputError, match="No test examples"):
        load(folder, "test")


def test_a_fraction_beside_a_test_part_is_an_error(folder):
    with pytest.raises(InputError, match=r"`test_fraction`.*in 'test'. Name the folder .*train"):
        load(folder, test_fraction=0.2)


def test_splits_without_training_images_are_no_classes(folder):
    (folder / "train").rename(folder / "val")
    with pytest.raises(InputError, match=r"No training examples in .*Received: test, val"):
        load(folder)


def test_one_folder_is_no_class(folder):
    with pytest.raises(InputError, match=r"Only one class in .*Is .*data the right folder\?"):
        load(folder.parent)


def write_texts(folder, texts):
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


TEXTS = {
    "train/good/1.txt": "fine film\n",
    "train/good/more/2.txt": "süß",
    "train/bad/1.txt": "",
    "test/bad/1.txt": "dull",
}


def test_text_files_are_strings(tmp_path):
    write_texts(tmp_path, TEXTS)
    examples = load(tmp_path)
    assert examples.stored_inputs(np.arange(3)).tolist() == ["", "fine film\n", "süß"]
    assert examples.ids.tolist() == sorted(name for name in TEXTS if "train" in name)
    assert (examples.labels.tolist(), examples.class_names) == ([0, 1, 1], ["bad", "good"])
    assert load(tmp_path, "test").stored_inputs([0]).tolist() == ["dull"]
    with pytest.raises(InputError, match="`image_size`. Expected none, because .* contains texts"):
        load(tmp_path, image_size=4)


def test_texts_beside_images_are_left_out(folder):
    for name in CLASSES:
        (folder / "train" / name / "caption.txt").write_text("an animal")
    with pytest.warns(UserWarning, match="Left out of .*3 .txt files"):
        assert load(folder).shape == (6, 5, 3)


def test_texts_that_are_not_utf8_are_listed_or_skipped(tmp_path):
    write_texts(tmp_path, TEXTS | {"train/bad/2.txt": b"\xff\xfe", "train/good/0.txt": b"a\xe9"})
    with pytest.raises(InputError, match=r"2 of the files.*UTF-8.*bad/2.txt.*; .*good/0.txt"):
        load(tmp_path)
    with pytest.warns(UserWarning, match="Skipped 2 of 5 files.*: train/bad/2.txt, train/good/0"):
        examples = load(tmp_path, skip_broken=True)
    assert examples.ids.tolist() == sorted(name for name in TEXTS if "train" in name)


def test_gif_images(tmp_path):
    folder = tmp_path / "pictures"
    gray = RNG.integers(0, 256, (6, 5), "uint8")
    coloured = Image.fromarray(RNG.integers(0, 256, (6, 5, 3), "uint8")).quantize(30)
    for name, image in (("a", Image.fromarray(gray)), ("b", coloured)):
        (folder / name).mkdir(parents=True)
        image.save(folder / name / "x.gif")
    pixels = stored(load_examples(f"folder:{folder}"))
    np.testing.assert_array_equal(pixels[0], np.stack([gray] * 3, -1))
    np.testing.assert_array_equal(pixels[1], np.asarray(coloured.convert("RGB")))


def test_files_and_folders_that_one_might_miss_are_counted(folder):
    (folder / "train" / "cat" / "001.png").rename(folder / "train" / "loose.png")
    with pytest.warns(UserWarning, match="Left out of .*train: 1 files outside of the classes"):
        load(folder)
    (folder / "test").rename(folder / "plane")
    with pytest.warns(UserWarning, match="the folder plane beside it"):
        load(folder)
