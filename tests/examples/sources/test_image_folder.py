import os

import numpy as np
import pytest
from PIL import Image
from support.image_folder import CLASSES, load, save, stored, write_images

from keras_pruning import InputError

RNG = np.random.default_rng(0)


@pytest.fixture
def images(tmp_path):
    """Random images on disk and in a dictionary, by id."""
    return write_images(tmp_path / "data")


@pytest.fixture
def folder(tmp_path, images):
    return tmp_path / "data"


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_labels_and_ids(folder, images, split):
    examples = load(folder, split)
    expected = sorted(name for name in images if name.startswith(split))
    assert examples.ids.tolist() == expected
    np.testing.assert_array_equal(stored(examples), [images[name] for name in expected])
    labels = [CLASSES.index(name.split("/")[1]) for name in expected]
    assert examples.labels.tolist() == labels
    assert examples.class_names == list(CLASSES)
    assert (examples.num_classes, examples.source) == (3, "folder")


def test_a_class_may_be_missing_in_test(folder):
    for path in (folder / "test" / "cat").iterdir():
        path.unlink()
    (folder / "test" / "cat").rmdir()
    examples = load(folder, "test")
    assert examples.class_names == list(CLASSES)
    assert examples.labels.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_without_images_is_an_error(folder, split):
    for name in ("ant", "bee"):
        save(folder / "train" / name / "a.png", np.zeros((6, 5, 3), "uint8"))
        (folder / split / name).mkdir(exist_ok=True)
        (folder / split / name / "a.png").unlink(missing_ok=True)
        (folder / split / name / "notes.txt").write_text("none yet")
    with pytest.raises(InputError, match=f"Classes without files in .*{split}.*none in ant, bee"):
        load(folder)


def test_endings_in_any_case_and_other_files(folder):
    smooth = np.tile(np.linspace(0, 255, 5).astype("uint8")[:, None], (6, 1, 3))
    for name in ("a.JPG", "b.jpeg"):
        save(folder / "train" / "cat" / name, smooth, format="jpeg")
    for name in ("c.PNG", "._d.png", "notes.txt", "e.tif", ".hidden/f.png"):
        save(folder / "train" / "cat" / name, smooth, format="png")
    save(folder / "train" / ".cache" / "g.png", smooth)
    (folder / "train" / "cat" / "folder.png").mkdir()
    (folder / "val").mkdir()
    (folder / "train" / "cat" / "up").symlink_to(folder / "train")
    (folder / "train" / "__MACOSX").mkdir()
    left_out = (
        "the folder val beside it, the folder __MACOSX, 1 hidden files, 1 hidden folders, "
        "1 .tif files, 1 .txt files, 1 links to a folder above"
    )
    with pytest.warns(UserWarning, match=left_out):
        examples = load(folder)
    load(folder, "test")
    cats = [name for name in examples.ids if "cat" in name]
    assert cats[4:] == ["train/cat/a.JPG", "train/cat/b.jpeg", "train/cat/c.PNG"]
    assert examples.class_names == list(CLASSES)
    pixels = stored(examples)[np.isin(examples.ids, cats[4:])].astype(int)
    assert np.abs(pixels - smooth).max() < 25


def test_grayscale_images_have_one_channel(tmp_path):
    pixels = RNG.integers(0, 256, (2, 6, 5), "uint8")
    for number, split in enumerate(("train", "test")):
        save(tmp_path / split / "cat" / "a.png", pixels[number])
    for number, split in enumerate(("train", "test")):
        np.testing.assert_array_equal(stored(load(tmp_path, split))[0, ..., 0], pixels[number])
    # One image in colour, even in the other split, and all have three.
    save(tmp_path / "test" / "cat" / "b.png", np.zeros((6, 5, 3), "uint8"))
    np.testing.assert_array_equal(stored(load(tmp_path))[0], np.stack([pixels[0]] * 3, -1))


def png(pixels):
    """A PNG file of 8 or 16 bits a channel, which Pillow cannot write for every kind."""
    import tensorflow as tf

    return tf.io.encode_png(pixels).numpy()


WIDE = RNG.integers(0, 2**16, (6, 5, 4)).astype("uint16")
WIDE[..., 3] = 2**16 - 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_upper_eight_of_16_bits_count(tmp_path, channels):
    pixels = np.concatenate([WIDE[..., : channels - 1], WIDE[..., 3:]], -1)
    pixels = WIDE[..., :channels] if channels in (1, 3) else pixels
    for split in ("train", "test"):
        (tmp_path / split / "cat").mkdir(parents=True)
        (tmp_path / split / "cat" / "a.png").write_bytes(png(pixels))
    colours = pixels[..., : channels - (channels in (2, 4))] >> 8
    found = stored(load(tmp_path))[0]
    np.testing.assert_array_equal(found, np.broadcast_to(colours, found.shape))
    assert found.shape[-1] == (1 if channels == 1 else 3)


def palette(colours, **options):
    image = Image.fromarray(np.arange(4, dtype="uint8").reshape(2, 2), "P")
    image.putpalette(np.array(colours, "uint8").tobytes())
    return image, options


RED, HALF, CLEAR, BLACK = (255, 0, 0), (0, 100, 0, 128), (9, 9, 9, 0), (0, 0, 0, 255)
COLOURS = [RED, (1, 2, 3), (0, 0, 0), (9, 8, 7)]


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (*palette(COLOURS), COLOURS),
        (*palette(COLOURS, transparency=2), [*COLOURS[:2], (255, 255, 255), COLOURS[3]]),
        (
            Image.fromarray(np.array([[HALF, CLEAR], [BLACK, (*RED, 255)]], "uint8")),
            {},
            [(127, 177, 127), (255, 255, 255), (0, 0, 0), RED],
        ),
        (
            Image.fromarray(np.array([[(7, 255), (7, 0)], [(0, 255), (8, 255)]], "uint8")),
            {},
            [[7], [255], [0], [8]],
        ),
        (
            Image.fromarray(np.array([[True, False], [False, True]])),
            {},
            [[255], [0], [0], [255]],
        ),
    ],
)
def test_palettes_transparency_and_bits(tmp_path, image, options, expected):
    for split in ("train", "test"):
        (tmp_path / split / "cat").mkdir(parents=True)
        image.save(tmp_path / split / "cat" / "a.png", **options)
    found = stored(load(tmp_path))[0]
    np.testing.assert_array_equal(found.reshape(4, -1), expected)


def test_cmyk_and_gray_jpegs(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / split / "a" / "gray.jpg", np.full((8, 8), 90, "uint8"))
        (tmp_path / split / "a").mkdir(exist_ok=True)
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / split / "a" / "ink.jpg")
    gray, ink = stored(load(tmp_path)).astype(int)
    assert (gray == 90).all()
    assert np.abs(ink - RED).max() < 5


def test_images_of_different_sizes_need_an_image_size(folder):
    save(folder / "train" / "dog" / "wide.png", np.full((6, 12, 3), 70, "uint8"))
    with pytest.raises(
        InputError,
        match=r"5 × 6 in train/bird/000.png, 12 × 6 in train/dog/wide.png. Set `dataset.image_size",
    ):
        load(folder)
    # Both splits must agree.
    with pytest.raises(InputError, match="Images of different sizes"):
        load(folder, "test")
    examples = load(folder, image_size=4)
    assert examples.shape == (4, 4, 3)
    assert (stored(examples)[-1] == 70).all()


def test_many_sizes_are_counted(folder):
    for width in range(20, 30):
        save(folder / "train" / "dog" / f"{width}.png", np.zeros((6, width, 3), "uint8"))
    with pytest.raises(InputError, match=r"23 × 6 in train/dog/23.png and 6 more sizes. Set"):
        load(folder)


def test_resizes_as_pillow_does(folder, images):
    examples = load(folder, image_size=3)
    for name, found in zip(examples.ids, stored(examples), strict=True):
        expected = Image.fromarray(images[name]).resize((3, 3), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(found, expected)


def test_decodes_once(folder, monkeypatch):
    first = load(folder)
    monkeypatch.setattr(Image, "open", None)
    assert load(folder).fingerprint == first.fingerprint
    with pytest.raises(InputError, match="Cannot read 18 of the files"):
        load(folder, image_size=4)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_changed_folder_is_decoded_anew(folder, images, split):
    before = load(folder, split).fingerprint
    save(folder / split / "cat" / "001.png", 255 - images[f"{split}/cat/001.png"])
    assert load(folder, split).fingerprint != before
    position = load(folder, split).ids.tolist().index(f"{split}/cat/001.png")
    found = stored(load(folder, split))[position]
    np.testing.assert_array_equal(found, 255 - images[f"{split}/cat/001.png"])


def test_a_time_alone_is_a_change(folder, cache):
    load(folder)
    os.utime(folder / "train" / "cat" / "000.png", ns=(0, 1))
    load(folder)
    assert len(list(cache.iterdir())) == 2


def test_a_new_class_is_a_change(folder):
    assert load(folder).labels.max() == 2
    save(folder / "train" / "ant" / "a.png", np.zeros((6, 5, 3), "uint8"))
    assert load(folder).labels.max() == 3


def test_folders_below_a_class_belong_to_it(folder, images):
    pixels = images.pop("train/cat/001.png")
    (folder / "train" / "cat" / "black" / "small").mkdir(parents=True)
    target = folder / "train" / "cat" / "black" / "small" / "b.png"
    (folder / "train" / "cat" / "001.png").rename(target)
    examples = load(folder)
    assert examples.ids[4:8].tolist() == [
        "train/cat/000.png",
        "train/cat/002.png",
        "train/cat/003.png",
        "train/cat/black/small/b.png",
    ]
    assert examples.labels[4:8].tolist() == [1] * 4
    np.testing.assert_array_equal(stored(examples)[7], pixels)


def truncated(path):
    path.write_bytes(path.read_bytes()[:70])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        flipped,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not an image"),
        lambda path: Image.new("RGB", (5, 6)).save(path, format="tiff"),
        lambda path: (path.unlink(), path.symlink_to("nowhere")),
    ],
)
def test_names_an_image_that_cannot_be_read(folder, cache, damage):
    damage(folder / "train" / "dog" / "002.png")
    with pytest.raises(InputError, match=r"Cannot read 1 of the files.*train/dog/002.png \("):
        load(folder)
    assert not cache.exists() or not list(cache.iterdir())


def test_names_a_truncated_jpeg(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / split / "a" / "b.jpg", RNG.integers(0, 256, (64, 64, 3), "uint8"))
    path = tmp_path / "train" / "a" / "b.jpg"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"train/a/b.jpg.*truncated"):
        load(tmp_path)


def test_refuses_a_name_that_is_not_utf8(folder):
    os.rename(folder / "train/cat/000.png", os.fsencode(folder / "train/cat") + b"/\xff.png")
    with pytest.raises(InputError, match="a name that is not UTF-8"):
        load(folder)


def test_refuses_a_class_that_is_not_in_train(folder, images):
    save(folder / "test" / "fish" / "000.png", images["test/cat/000.png"])
    with pytest.raises(InputError, match=r"Unknown class in .*test. .*bird, cat, dog.*: fish"):
        load(folder)


def test_refuses_missing_or_empty_folders(tmp_path):
    with pytest.raises(InputError, match="Cannot read the folder .*nowhere.*No such file"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="No classes in .*Received: 0 entries"):
        load(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="No classes in .*train. Expected a folder for each"):
        load(tmp_path)
    (tmp_path / "train" / "cat").mkdir()
    with pytest.raises(InputError, match="Classes without files in .*train. .*.png, .jpg, .jpeg"):
        load(tmp_path)
