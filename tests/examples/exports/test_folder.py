"""Exported folders of images."""

import csv
import os
import shutil

import numpy as np
import pytest
from support import exported
from support.image_folder import load, write_images

import keras_pruning as kp
from keras_pruning.examples.exports.file_names import class_folders, file_names


@pytest.fixture
def source(tmp_path):
    """A folder of images, one of them unicode with a space and one in a folder below its class."""
    folder = tmp_path / "data"
    write_images(folder)
    os.rename(folder / "train/cat/001.png", folder / "train/cat/Größe 1.png")
    (folder / "train/cat/more").mkdir()
    os.rename(folder / "train/cat/002.png", folder / "train/cat/more/002.png")
    return folder


def rows_of(folder):
    with open(folder / "ids.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("link", [None, "symbolic", "hard"])
def test_files_keep_their_bytes_and_ids(link, source, tmp_path):
    part = load(source).at(np.array([0, 3, 4, 5, 6, 11]))
    out = kp.export(part, "folder", tmp_path / "out", link=link)
    again = load(out)
    exported.assert_same(part.at(np.argsort(part.ids)), again)
    for file in part.ids:
        assert (out / file).read_bytes() == (source / file).read_bytes()
        assert (out / file).is_symlink() == (link == "symbolic")
        assert os.path.samefile(out / file, source / file) == (link is not None)
    assert [row["id"] for row in rows_of(out)] == part.ids.tolist()
    assert [row["file"] for row in rows_of(out)] == part.ids.tolist()


def test_a_folder_without_splits_keeps_its_ids(source, tmp_path):
    part = load(source / "train").at(np.array([1, 5, 9]))
    out = kp.export(part, "folder", tmp_path / "out", link="symbolic")
    exported.assert_same(part, load(out))


def test_links_to_a_relative_source_are_absolute(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = kp.export(load("data").at(np.array([0, 4, 8])), "folder", "out", link="symbolic")
    monkeypatch.chdir("/")
    assert len(load(tmp_path / out)) == 3


def test_links_to_another_copy_are_another_recipe(source, tmp_path):
    shutil.copytree(source, tmp_path / "copy")
    kp.export(load(source), "folder", tmp_path / "out", link="symbolic")
    with pytest.raises(kp.InputError, match="linked_folder: recorded"):
        kp.export(load(tmp_path / "copy"), "folder", tmp_path / "out", link="symbolic")


def test_sizes_of_the_source_stay(source, tmp_path):
    """Files are copied as they are, not as they are resized for the model."""
    part = load(source, image_size=4)
    out = kp.export(part, "folder", tmp_path / "out")
    assert load(out).shape == (6, 5, 3)
    exported.assert_same(part, load(out, image_size=4))


def test_a_changed_label_is_refused(source, tmp_path):
    noisy = load(source).with_label_noise(0.2, seed=0)
    with pytest.raises(kp.InputError, match=r"label of 'train/.*' is not the folder of the file"):
        kp.export(noisy, "folder", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_gone_is_named(source, tmp_path):
    part = load(source)
    (source / "train/dog/003.png").unlink()
    with pytest.raises(kp.InputError, match=r"Cannot export .*dog/003.png: No such file"):
        kp.export(part, "folder", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["images", "gray images", "images without channels"])
def test_arrays_become_png(kind, tmp_path):
    part = exported.examples(kind)
    out = kp.export(part, "folder", tmp_path / "out")
    again, rows = load(out), rows_of(out)
    places = [again.ids.tolist().index(row["file"]) for row in rows]
    assert [row["id"].removeprefix("'") for row in rows] == part.ids.tolist()
    assert again.labels[places].tolist() == part.labels.tolist()
    # The classes are not in alphabetical order, so that their numbers stand in front.
    assert again.class_names == ["0-zebra", "1-a b", "2-ö"]
    pixels = exported.values(part)["x"].reshape(len(part), *again.shape)
    np.testing.assert_array_equal(again.stored_inputs(np.array(places)), pixels)


def test_digits_keep_class_names_and_ids_in_file_names(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (20, 3, 3), "uint8")
    part = kp.Examples.from_arrays(x, np.arange(20) % 10)
    again = load(kp.export(part, "folder", tmp_path / "out"))
    assert again.class_names == part.class_names
    assert again.ids[0] == "train/0/0.png"


@pytest.mark.parametrize(
    ("kind", "received"),
    [
        ("texts", r"\(\) string"),
        ("dictionary", "'below'"),
        ("tuple", r"\(\(\) float32, \(2,\) int64\)"),
        ("float images", r"\(5, 4, 3\) float32, stored as float32"),
        ("unsigned", "uint64"),
    ],
)
def test_other_inputs_are_refused(kind, received, tmp_path):
    with pytest.raises(kp.InputError, match=f"Expected uint8 of shape.*Received: .*{received}"):
        kp.export(exported.examples(kind), "folder", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_class_without_examples_is_refused(tmp_path):
    part = exported.examples()
    part = part.at(np.flatnonzero(part.labels != 1))
    with pytest.raises(kp.InputError, match=r"Classes without an example.*none in 'a b'\. Set"):
        kp.export(part, "folder", tmp_path / "out")


def test_only_files_can_be_linked(tmp_path):
    with pytest.raises(kp.InputError, match="Nothing to link.*Leave out `link`"):
        kp.export(exported.examples(), "folder", tmp_path / "out", link="hard")
    with pytest.raises(
        kp.InputError, match=r"Invalid `link`. Expected 'symbolic' or 'hard'.*'soft'"
    ):
        kp.export(exported.examples(), "folder", tmp_path / "out", link="soft")


def test_names_are_different_and_safe():
    ids = [
        "a/b",
        "a%2Fb",
        "A",
        "a",
        "",
        ".",
        "..",
        " x",
        "x ",
        "nul.png",
        "x" * 300,
        "x" * 301,
        "é",
    ]
    names = file_names(ids)
    assert len({name.casefold() for name in names}) == len(ids)
    assert max(len(name.encode()) for name in names) < 250
    assert names[0] == "a%2Fb"
    assert names[4:10] == ["%", "%2E", "%2E%2E", "%20x", "x%20", "%6Eul.png"]
    assert not [name for name in names if name.startswith((".", " ")) or name.endswith((".", " "))]
    assert not [name for name in names if "/" in name]


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["a", "b", "c"], ["a", "b", "c"]),
        (["b", "a"], ["0-b", "1-a"]),
        ([str(n) for n in range(11)], [f"{n:02d}" for n in range(11)]),
        (["a/b", "c"], ["0-a%2Fb", "1-c"]),
        (["", "..", "x"], ["0-%", "1-%2E%2E", "2-x"]),
    ],
)
def test_folders_of_classes(names, folders):
    assert class_folders(names) == folders
