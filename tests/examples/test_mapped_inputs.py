"""Kept examples read what they need: rows are counted, and memory is measured."""

import tracemalloc
from typing import ClassVar

import numpy as np
import pytest
from support.memory_maps import memory_map

import keras_pruning as kp
from keras_pruning.examples.inputs import Inputs
from keras_pruning.examples.mapped_inputs import MappedInputs


class Counting(np.memmap):
    """A memory map that notes the rows that are read."""

    read: ClassVar[list] = []

    def __getitem__(self, rows):
        if isinstance(rows, np.ndarray):
            self.read.append(rows)
        elif isinstance(rows, slice):
            self.read.append(np.arange(len(self))[rows])
        return super().__getitem__(rows)


@pytest.fixture
def counting(tmp_path):
    """A memory map of 200 small images that counts, and the list of the rows that were read."""
    x = np.random.default_rng(0).integers(0, 256, (200, 4, 4, 1), "uint8")
    mapped = memory_map(tmp_path, x).view(Counting)
    Counting.read.clear()
    return mapped, Counting.read


def of(inputs):
    return kp.Examples(inputs, np.arange(200) % 3, np.arange(200), 3, "test", "train")


def thirty_percent(examples):
    rng = np.random.default_rng(1)
    mask = np.isin(np.arange(200), rng.permutation(200)[:60])
    metadata = {"examples": examples.provenance}
    return kp.Subset(examples.ids, examples.labels, mask, metadata)


def pixels(batches):
    return np.concatenate([x for x, _ in batches])


@pytest.mark.parametrize("limit", [10**6, 0])
def test_an_epoch_reads_the_kept_rows_once_and_no_others(counting, limit):
    mapped, read = counting
    examples = of(MappedInputs(mapped, 1 / 255, limit))
    subset = thirty_percent(examples)
    read.clear()
    kept = examples.keep(subset)
    assert read == []
    batches = kept.batches(16, shuffle=True)
    first = pixels(batches)
    assert np.sort(np.concatenate(read)).tolist() == np.flatnonzero(subset.mask).tolist()
    assert len(first) == 60
    # Within the limit, the second epoch reads nothing from the file.
    read.clear()
    pixels(batches)
    assert (len(read) == 0) == (limit > 0)


def test_a_memory_map_of_the_user_stays_on_disk(counting):
    mapped, read = counting
    examples = of(Inputs(mapped))
    subset = thirty_percent(examples)
    kept, expected = examples.keep(subset), np.flatnonzero(subset.mask).tolist()
    batches = kept.batches(16)
    for _ in range(2):
        read.clear()
        pixels(batches)
        assert np.concatenate(read).tolist() == expected


def test_the_same_batches_from_memory_and_from_the_file(counting):
    mapped, _ = counting
    plain = of(Inputs(np.array(mapped), 1 / 255))
    subset = thirty_percent(plain)
    for limit in (10**6, 200 * 16, 60 * 16, 60 * 16 - 1, 0):
        examples = of(MappedInputs(mapped, 1 / 255, limit))
        assert examples.fingerprint == plain.fingerprint
        for part, other in ((examples, plain), (examples.keep(subset), plain.keep(subset))):
            np.testing.assert_array_equal(pixels(part.batches(16)), pixels(other.batches(16)))
            rows, x, _ = next(iter(part.scoring_batches(300)))
            assert rows.numpy().tolist() == list(range(len(part)))
            np.testing.assert_array_equal(x, pixels(other.batches(300)))


def test_parts_share_what_is_in_memory_already(counting):
    mapped, read = counting
    examples = of(MappedInputs(mapped, 1 / 255, 10**6))
    subset = thirty_percent(examples)
    pixels(examples.batches(16))
    read.clear()
    pixels(examples.keep(subset).batches(16))
    assert read == []


def test_another_scale_has_another_digest(counting, tmp_path):
    mapped, _ = counting
    inputs = MappedInputs(mapped, 1 / 255, 10**6)
    assert inputs.digest == Inputs(np.array(mapped), 1 / 255).digest
    (tmp_path / "x.npy").unlink()
    assert inputs.with_scale(0.5).digest == Inputs(np.array(mapped), 0.5).digest
    examples = of(inputs).with_scale(1)
    assert pixels(examples.batches(200)).dtype == np.uint8


def test_keeping_a_part_takes_the_memory_of_the_part(tmp_path):
    """Of 96 MiB in a file, an eighth is kept."""
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (24, 4, 2**20, 1))
    labels = np.arange(24) % 3
    tracemalloc.start()
    inputs = MappedInputs(mapped, 1 / 255, 2**30)
    examples = kp.Examples(inputs, labels, np.arange(24), 3, "test", "train")
    mask = np.arange(24) < 3
    metadata = {"examples": examples.provenance}
    kept = examples.keep(kp.Subset(examples.ids, labels, mask, metadata))
    read, _ = kept.read_from
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.stored.nbytes == 12 * 2**20
    assert peak < 28 * 2**20
