import contextlib
import json
import pickle
import warnings

import numpy as np
import pytest

from keras_pruning import InputError
from keras_pruning.examples import Examples
from keras_pruning.examples.sources import decoded_cache
from keras_pruning.examples.sources import decoded_images as decoded
from keras_pruning.recipes import file_digest

DAMAGED = "are damaged. Expected files that match their hashes"
KEY = {"source": "test", "sizes": [3, 4]}


class Source:
    """150 images of 3 × 4 pixels, and how many of them were decoded."""

    total = 150

    def __init__(self, first=0):
        self.decoded = 0
        self.first = first

    def decode(self, row):
        self.decoded += 1
        return np.full((3, 4, 1), self.first + row, "uint8"), row % 7, f"image-{row:03d}"

    def load(self, key=KEY):
        return decoded.load(key, self.total, range(self.total), self.decode)


def check(found, first=0):
    expected = (first + np.arange(150)) % 256
    images = found.inputs.stored
    np.testing.assert_array_equal(images, np.tile(expected[:, None, None, None], (3, 4, 1)))
    assert found.labels.tolist() == [row % 7 for row in range(150)]
    assert found.ids.tolist() == [f"image-{row:03d}" for row in range(150)]
    assert (images.dtype, found.labels.dtype) == ("uint8", "int64")


def is_json(path):
    try:
        return bool(json.loads(path.read_text()))
    except ValueError:
        return False


def entry(cache):
    """The only entry of the cache, with nothing beside it."""
    (folder,) = cache.iterdir()
    return folder


def test_decodes_once_and_in_order(cache):
    first, second = Source(), Source()
    check(first.load())
    check(second.load())
    assert (first.decoded, second.decoded) == (150, 0)
    assert {path.name for path in entry(cache).iterdir()} == {
        "images.npy",
        "labels.npy",
        "ids.npy",
        "entry.json",
        "hashes.json",
    }
    assert json.loads((entry(cache) / "entry.json").read_text())["key"] == KEY


def test_another_key_is_another_entry(cache):
    Source().load()
    check(Source(5).load({**KEY, "sizes": [4, 3]}), first=5)
    check(Source(9).load())
    assert len(list(cache.iterdir())) == 2


def test_without_a_key_nothing_is_kept(cache):
    for first in (0, 5):
        check(Source(first).load(None), first)
    assert not cache.exists()


def test_images_larger_than_memory_stay_on_the_disk(monkeypatch):
    inputs, _ = Source().load().inputs.for_rows(np.arange(150))
    assert not isinstance(inputs.stored, np.memmap)
    monkeypatch.setattr(decoded_cache, "MEMORY_LIMIT", 150 * 12 - 1)
    found = Source().load()
    assert isinstance(found.inputs.stored, np.memmap)
    assert not found.inputs.stored.flags.writeable
    check(found)
    examples = Examples(found.inputs, found.labels, found.ids, 7, "test", "train")
    ((x, _),) = examples.batches(150)
    np.testing.assert_allclose(x[:, 2, 3, 0], np.arange(150) / 255, 1e-6)


# NumPy leaves a file open that begins like a .npz file and is none.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "ids.npy", "entry.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:20]),
        lambda path: path.write_bytes(pickle.dumps(["code"])),
        lambda path: path.write_bytes(b"PK\3\4" + path.read_bytes()),
    ],
)
def test_a_damaged_entry_is_made_anew(cache, name, damage):
    Source().load()
    damage(entry(cache) / name)
    again, last = Source(), Source()
    # JSON without its last byte, the end of the line, is whole.
    whole = (
        (entry(cache) / name).is_file() and name == "entry.json" and is_json(entry(cache) / name)
    )
    with contextlib.nullcontext() if whole else pytest.warns(UserWarning, match=DAMAGED):
        check(again.load())
    check(last.load())
    assert (again.decoded, last.decoded) == (0 if whole else 150, 0)
    assert entry(cache).is_dir()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("images.npy", np.zeros((150, 3, 4, 1), "float32")),
        ("images.npy", np.zeros((150, 12), "uint8")),
        ("images.npy", np.zeros((149, 3, 4, 1), "uint8")),
        ("labels.npy", np.zeros(150)),
        ("ids.npy", np.zeros(150, int)),
        ("ids.npy", np.array([f"{row}" for row in range(151)])),
    ],
)
def test_an_entry_that_does_not_fit_together_is_made_anew(cache, name, content):
    Source().load()
    np.save(entry(cache) / name, content)
    # Also if the hash of the file fits.
    path = entry(cache) / "entry.json"
    recorded = json.loads(path.read_text())
    recorded[name.removesuffix(".npy")] = file_digest(entry(cache) / name)
    path.write_text(json.dumps(recorded))
    with pytest.warns(UserWarning, match=DAMAGED):
        check(Source().load())


def test_an_entry_with_another_key_inside_is_made_anew(cache):
    Source().load()
    path = entry(cache) / "entry.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": {}}))
    with pytest.warns(UserWarning, match=DAMAGED):
        check(Source(4).load(), first=4)


def test_no_flipped_bit_is_silent(cache):
    Source().load()
    files = [(path, path.read_bytes()) for path in sorted(entry(cache).iterdir())]
    rng = np.random.default_rng(0)
    noticed = 0
    for path, content in files:
        for position in rng.integers(0, 8 * len(content), 30):
            flipped = bytearray(content)
            flipped[position // 8] ^= 1 << position % 8
            path.write_bytes(flipped)
            again = Source()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                check(again.load())
            # A space in the JSON or in the header of an array may change without a consequence.
            assert bool(again.decoded) == any(DAMAGED in str(one.message) for one in caught)
            noticed += bool(again.decoded)
            restore(cache, files)
    assert noticed > 100


def restore(cache, files):
    """Writes the files of the entry as they were."""
    for path, content in files:
        path.write_bytes(content)


def test_two_processes_at_once_both_succeed(cache):
    slow = Source()

    def overtaken(row):
        if row == 149:
            check(Source().load())
        return slow.decode(row)

    check(decoded.load(KEY, 150, range(150), overtaken))
    assert entry(cache).is_dir()


@pytest.mark.parametrize("row", [0, 70, 149])
def test_an_error_leaves_nothing_behind(cache, row):
    def broken(item):
        if item == row:
            raise InputError("this image is broken")
        return Source().decode(item)

    with pytest.raises(InputError, match="this image is broken"):
        decoded.load(KEY, 150, range(150), broken)
    assert not list(cache.iterdir())
    check(Source().load())


def test_refuses_images_of_different_shapes(cache):
    def odd(row):
        return np.zeros((3, 4 + (row == 100), 1), "uint8"), 0, f"image-{row:03d}"

    with pytest.raises(
        InputError, match=r"\(3, 4, 1\) in image-000, \(3, 5, 1\) in image-100. Set .*image_size"
    ):
        decoded.load(KEY, 150, range(150), odd)
    assert not list(cache.iterdir())


@pytest.mark.parametrize("count", [149, 151])
def test_refuses_another_number_of_images(cache, count):
    with pytest.raises(InputError, match=f"Expected 150 examples.*Received: {count}"):
        decoded.load(KEY, 150, range(count), Source().decode)
    assert not list(cache.iterdir())


def test_refuses_no_images():
    for key in (KEY, None):
        with pytest.raises(InputError, match="Empty data set"):
            decoded.load(key, 0, [], Source().decode)


def test_says_how_to_mend_a_cache_that_cannot_be_written(cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="Cannot store decoded images.*Set KERAS_PRUNING_CACHE"):
        Source().load()


@pytest.mark.parametrize("channels", [1, 3])
def test_resizes_to_a_square(channels):
    pixels = np.zeros((8, 16, channels), "uint8")
    pixels[:, 8:] = 200
    small = decoded.resized(pixels, 4)
    assert (small.shape, small.dtype) == ((4, 4, channels), "uint8")
    # Four columns become one: the inner two reach over the edge and mix a little of both sides.
    assert (small[:, [0, 3]] == [[0], [200]]).all()
    assert (np.diff(small[0, :, 0].astype(int)) >= 0).all()
    np.testing.assert_array_equal(small[:, 1] + small[:, 2], np.full((4, channels), 200))
    assert decoded.resized(pixels, None) is pixels
