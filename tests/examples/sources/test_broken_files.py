"""Files that cannot be read: all are named at once, or skipped on request."""

import os

import numpy as np
import pytest
from support.image_folder import load, save, stored, write_images

from keras_pruning import InputError

BROKEN = ("train/bird/001.png", "train/cat/003.png", "train/dog/000.png", "train/dog/002.png")


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "data")


@pytest.fixture
def folder(tmp_path, images):
    """A folder in which four training images are broken, each in another way."""
    folder = tmp_path / "data"
    (folder / BROKEN[0]).write_bytes((folder / BROKEN[0]).read_bytes()[:70])
    (folder / BROKEN[1]).write_bytes(b"")
    (folder / BROKEN[2]).unlink()
    (folder / BROKEN[2]).symlink_to("nowhere")
    (folder / BROKEN[3]).write_text("not an image")
    return folder


def test_all_are_named_at_once(folder, cache):
    for _ in range(2):
        with pytest.raises(InputError, match="Cannot read 4 of the files.*`skip_broken`") as caught:
            load(folder)
        assert all(name in str(caught.value) for name in BROKEN)
        assert str(caught.value).index(BROKEN[0]) < str(caught.value).index(BROKEN[3])
        assert not cache.exists() or not list(cache.iterdir())


def test_many_are_counted(folder):
    for number in range(20):
        (folder / "train" / "cat" / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="Cannot read 24 of the files.*; and 14 more. Repair"):
        load(folder)


def test_on_request_they_are_skipped_each_time(folder, images):
    kept = [name for name in sorted(images) if "train" in name and name not in BROKEN]
    # The second time from the cache
    for _ in range(2):
        with pytest.warns(UserWarning, match="Skipped 4 of 12 files.*") as caught:
            examples = load(folder, skip_broken=True)
        assert ", ".join(BROKEN) in str(caught[0].message)
        assert examples.ids.tolist() == kept
        np.testing.assert_array_equal(stored(examples), [images[name] for name in kept])
    # Those of the cache are never taken for all.
    with pytest.raises(InputError, match="Cannot read 4 of the files"):
        load(folder)


def test_skipping_nothing_changes_nothing(folder):
    for name in BROKEN:
        (folder / name).unlink()
    before = load(folder)
    assert load(folder, skip_broken=True).fingerprint == before.fingerprint


def test_skipped_files_are_the_same_as_absent_ones(folder):
    with pytest.warns(UserWarning, match="Skipped"):
        skipped = load(folder, skip_broken=True)
    for name in BROKEN:
        (folder / name).unlink()
    assert load(folder).fingerprint == skipped.fingerprint


def test_a_mended_file_is_read(folder, images):
    with pytest.warns(UserWarning, match="Skipped 4"):
        load(folder, skip_broken=True)
    (folder / BROKEN[2]).unlink()
    for name in BROKEN:
        save(folder / name, images[name])
    assert len(load(folder, skip_broken=True)) == 12


def test_names_that_are_not_utf8(tmp_path, images):
    os.rename(
        tmp_path / "data/train/cat/000.png", os.fsencode(tmp_path / "data") + b"/train/cat/\xff.png"
    )
    with pytest.raises(InputError, match=r"cat/\\udcff.png \(a name that is not UTF-8\)"):
        load(tmp_path / "data")
    with pytest.warns(UserWarning, match=r"Skipped 1 of 12 .*: train/cat/\\udcff.png"):
        assert len(load(tmp_path / "data", skip_broken=True)) == 11


def test_nothing_that_can_be_read_is_an_error(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match="Expected at least one image"):
        load(tmp_path, skip_broken=True)


@pytest.mark.parametrize("value", ["yes", 1])
def test_skip_broken_is_true_or_false(tmp_path, value):
    with pytest.raises(InputError, match="Invalid `skip_broken`. Expected True or False"):
        load(tmp_path, skip_broken=value)


def test_skipping_may_not_empty_a_class(folder):
    for path in (folder / "train" / "dog").iterdir():
        path.unlink()
        path.write_bytes(b"")
    with (
        pytest.raises(InputError, match="Classes without files that can be read.*none in dog"),
        pytest.warns(UserWarning, match="Skipped"),
    ):
        load(folder, skip_broken=True)
