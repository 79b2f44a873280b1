"""Image files as viewers show them, files that are none, and files that changed."""

import os

import numpy as np
import pytest
from PIL import Image, ImageOps
from support.image_folder import load, save, stored, write_images

from keras_pruning import InputError

RNG = np.random.default_rng(0)


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "data")


@pytest.fixture
def folder(tmp_path, images):
    return tmp_path / "data"


@pytest.mark.parametrize("ending", ["bmp", "webp", "PNG"])
def test_files_without_loss_have_the_same_pixels(tmp_path, ending):
    pixels = RNG.integers(0, 256, (2, 6, 5, 3), "uint8")
    for split, image in zip(("train", "test"), pixels, strict=True):
        options = {"lossless": True} if ending == "webp" else {}
        save(tmp_path / split / "cat" / f"a.{ending}", image, **options)
    np.testing.assert_array_equal(stored(load(tmp_path))[0], pixels[0])
    np.testing.assert_array_equal(stored(load(tmp_path, "test"))[0], pixels[1])


@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize("ending", ["png", "webp"])
def test_images_are_turned_as_viewers_do(tmp_path, ending, turn):
    pixels = RNG.integers(0, 256, (6, 6, 3), "uint8")
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"lossless": True} if ending == "webp" else {}
    save(tmp_path / "train" / "cat" / f"a.{ending}", pixels, exif=exif, **options)
    save(tmp_path / "test" / "cat" / "b.png", pixels)
    with Image.open(tmp_path / "train" / "cat" / f"a.{ending}") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(stored(load(tmp_path))[0], expected)
    assert np.array_equal(expected, pixels) == (turn not in range(2, 9))


@pytest.mark.parametrize("turn", [1, 6])
def test_the_size_is_that_of_the_turned_image(tmp_path, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    save(tmp_path / "train" / "cat" / "a.jpg", np.zeros((6, 4, 3), "uint8"), exif=exif)
    turned = (4, 6, 3) if turn == 6 else (6, 4, 3)
    save(tmp_path / "test" / "cat" / "b.png", np.zeros(turned, "uint8"))
    assert load(tmp_path).shape == turned


def test_damaged_exif_data_turn_nothing(tmp_path):
    pixels = RNG.integers(0, 256, (6, 6, 3), "uint8")
    for split in ("train", "test"):
        save(tmp_path / split / "cat" / "a.png", pixels, exif=b"Exif\0\0II*\0\xff\xff\xff\xff\0")
    np.testing.assert_array_equal(stored(load(tmp_path))[0], pixels)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_pipes_and_devices_are_left_out(folder, make):
    before = load(folder).fingerprint
    make(folder / "train" / "cat" / "pipe.png")
    with pytest.warns(UserWarning, match="Left out of .*: 1 pipes or devices. Expected"):
        assert load(folder).fingerprint == before


# Outside of this test suite, the warning of Pillow is no error.
@pytest.mark.filterwarnings("default")
def test_refuses_images_of_too_many_pixels(folder, cache):
    path = folder / "train" / "cat" / "bomb.png"
    Image.new("1", (40_000, 4000)).save(path)
    with pytest.raises(InputError, match=r"cat/bomb.png.*160000000 pixels\) exceeds limit"):
        load(folder, image_size=4)
    assert not list(cache.glob("*"))


def test_refuses_animations(folder):
    frames = [Image.new("RGB", (5, 6), colour) for colour in ("red", "blue")]
    path = folder / "train" / "cat" / "film.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"film.webp.*an animation of 2 frames"):
        load(folder)


def test_headers_are_read_in_blocks(folder, monkeypatch):
    before = load(folder).fingerprint
    monkeypatch.setattr("keras_pruning.examples.sources.listed_images._BLOCK", 5)
    monkeypatch.setenv("KERAS_PRUNING_CACHE", str(folder / "cache"))
    assert load(folder).fingerprint == before


def test_a_replaced_file_of_the_same_size_and_time(folder, images):
    path = folder / "train" / "cat" / "001.bmp"
    save(path, images["train/cat/001.png"])
    before, state = load(folder), path.stat()
    save(path, 255 - images["train/cat/001.png"])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    assert load(folder).fingerprint != before.fingerprint


def test_another_decoder_is_another_entry(folder, cache, monkeypatch):
    load(folder)
    monkeypatch.setattr("PIL.__version__", "0.1")
    load(folder)
    assert len(list(cache.iterdir())) == 2
