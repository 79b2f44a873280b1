"""The hashes of decoded images that processes keep for one another."""

import json
import os
import time

import numpy as np
import pytest

from keras_pruning.examples import Examples
from keras_pruning.examples.mapped_inputs import MappedInputs
from keras_pruning.examples.sources import decoded_cache, decoded_images, kept_hashes
from keras_pruning.storage import read_json, write_json

KEY = {"source": "test"}
DAMAGED = "are damaged. Expected files that match their hashes"


def load():
    return decoded_images.load(
        KEY, 150, range(150), lambda row: (np.full((3, 4, 1), row, "uint8"), row % 7, f"{row}")
    )


def examples(scale=None):
    inputs, labels, ids = load()
    found = Examples(inputs, labels, ids, 7, "test", "train")
    return found if scale is None else found.with_scale(scale)


@pytest.fixture
def reads(monkeypatch):
    """The scales for which the images are read and hashed, in order."""
    scales, hashed = [], MappedInputs._hashed

    def noted(inputs):
        scales.append(inputs.scale)
        return hashed(inputs)

    monkeypatch.setattr(MappedInputs, "_hashed", noted)
    return scales


@pytest.fixture
def folder(monkeypatch, reads):
    """An entry of the cache that was hashed some time after it was written."""
    # Times of files have steps of some milliseconds
    monkeypatch.setattr(kept_hashes, "_STEP", 2 * 10**7)
    load()
    time.sleep(0.05)
    load()
    reads.clear()
    return decoded_cache.folder_of(KEY)


def change(folder, byte=-1):
    """Changes one byte of the images in place, and sets the old times."""
    path = folder / "images.npy"
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_the_images_are_read_once(folder, reads, monkeypatch):
    kept = [examples().fingerprint for _ in range(3)]
    assert reads == []
    (folder / kept_hashes.NAME).unlink()
    assert [examples().fingerprint] * 3 == kept
    assert len(reads) == 1
    in_memory = MappedInputs(load().inputs.stored.base, 1 / 255, 0)
    assert in_memory.digest == examples().provenance["inputs"]


def test_each_scale_is_read_once(folder, reads):
    first = [examples(scale).fingerprint for scale in (1, 0.5, 1)]
    assert reads == [None, 0.5]
    reads.clear()
    assert [examples(scale).fingerprint for scale in (1, 0.5, 1)] == first
    assert reads == []
    assert len({*first, examples().fingerprint}) == 3


@pytest.mark.parametrize("byte", [-1, 200])
def test_a_changed_file_is_noticed(byte, folder, reads):
    change(folder, byte)
    with pytest.warns(UserWarning, match=DAMAGED):
        found = load()
    assert reads
    np.testing.assert_array_equal(found.inputs.stored[:, 0, 0, 0], np.arange(150))


def test_a_change_right_after_the_hash_is_noticed(folder, monkeypatch):
    """Within one step of the clock, the times of the file may not tell."""
    monkeypatch.setattr(kept_hashes, "_STEP", 10**12)
    stat = kept_hashes.KeptHashes._state(kept_hashes.KeptHashes(folder / "images.npy"))
    monkeypatch.setattr(kept_hashes.KeptHashes, "_state", lambda hashes: stat)
    change(folder)
    with pytest.warns(UserWarning, match=DAMAGED):
        load()


def test_a_change_while_it_is_hashed_is_not_kept(folder, reads, monkeypatch):
    hashed = MappedInputs._hashed

    def changed(inputs):
        digest = hashed(inputs)
        change(folder)
        return digest

    (folder / kept_hashes.NAME).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(MappedInputs, "_hashed", changed)
        load()
    assert not (folder / kept_hashes.NAME).exists()
    with pytest.warns(UserWarning, match=DAMAGED):
        load()


def test_after_a_day_the_images_are_read_again(folder, reads, monkeypatch):
    monkeypatch.setattr(kept_hashes, "_TRUSTED", -1)
    load()
    assert len(reads) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-10],
        lambda text: text.replace(decoded(text), "0" * 32),
        lambda text: json.dumps({**json.loads(text), "digest": None}),
        lambda text: json.dumps({**json.loads(text), "digest": None}).replace('"digest"', '"none"'),
        lambda text: json.dumps({"hashes": {}, "state": []}),
    ],
)
def test_damaged_hashes_are_not_trusted(damage, folder, reads):
    expected = examples().fingerprint
    path = folder / kept_hashes.NAME
    path.write_text(damage(path.read_text()))
    assert examples().fingerprint == expected
    assert len(reads) == 1


def decoded(text):
    """The hash of the decoded images in a file of hashes."""
    return json.loads(text)["hashes"][repr(1 / 255)][0]


def test_hashes_of_another_entry_are_not_trusted(folder, reads):
    """As after a copy of a whole cache, with all of its times."""
    expected = examples().fingerprint
    copied = folder / "copied.npy"
    copied.write_bytes((folder / "images.npy").read_bytes())
    copied.replace(folder / "images.npy")
    assert examples().fingerprint == expected
    assert len(reads) == 1


def test_hashes_of_another_file_are_not_trusted(folder, reads):
    """Also if they are younger than the file, as after a move of the hashes alone."""
    path = folder / kept_hashes.NAME
    kept = read_json(path)
    kept["state"][3] += 1
    kept["hashes"][repr(1 / 255)][0] = "0" * 32
    write_json(path, kept)
    examples()
    assert len(reads) == 1


def test_a_cache_that_cannot_be_written_is_read(folder, reads, monkeypatch):
    expected = examples().fingerprint
    (folder / kept_hashes.NAME).unlink()
    monkeypatch.setattr(kept_hashes, "new_file", refuse)
    assert [examples().fingerprint for _ in range(2)] == [expected] * 2
    assert len(reads) == 2


def refuse(path, overwrite):
    raise PermissionError(13, "Permission denied", str(path))
