"""Ranks of difficulties, against a full sort."""

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning.selection.choice import _rows_by_class
from keras_pruning.selection.ranking import hardest_first, ranked

DIFFICULTIES = {
    "distinct": np.random.default_rng(0).normal(size=101).astype(np.float32),
    "few values": np.random.default_rng(0).integers(0, 4, 101).astype(np.float32),
    "one value": np.full(101, 0.5, np.float32),
    "signed zeros": np.where(np.arange(101) % 2, 0.0, -0.0),
    "integers": np.random.default_rng(1).integers(0, 9, 101),
    "a single example": np.array([2.0], np.float32),
}


class Coarse:
    """A generator whose random numbers collide, so that the order of positions is seen."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def random(self, count):
        return self.rng.integers(0, 3, count) / 3


def by_version_0_4(difficulty, rng):
    return np.lexsort((rng.random(len(difficulty)), -np.asarray(difficulty, np.float64)))


@pytest.mark.parametrize("generator", [np.random.default_rng, Coarse])
@pytest.mark.parametrize("name", DIFFICULTIES)
def test_ranks_are_a_part_of_the_full_ranking(name, generator):
    difficulty = DIFFICULTIES[name]
    count = len(difficulty)
    ends = sorted({0, min(1, count), count // 3, count // 2, count - 1, count})
    for seed in range(3):
        full = by_version_0_4(difficulty, generator(seed))
        np.testing.assert_array_equal(hardest_first(difficulty, generator(seed)), full)
        for first in ends:
            for last in ends[ends.index(first) :]:
                positions = ranked(difficulty, first, last, generator(seed))
                np.testing.assert_array_equal(positions, np.sort(full[first:last]))


def test_every_call_draws_the_same_amount():
    """With a class quota, the ties of the next class depend on it."""
    states = []
    for first, last in [(0, 0), (0, 9), (3, 5), (0, 4)]:
        rng = np.random.default_rng(0)
        ranked(np.zeros(9, np.float32), first, last, rng)
        states.append(rng.random())
    assert len(set(states)) == 1


@pytest.mark.parametrize("policy", ["hardest", "easiest"])
@pytest.mark.parametrize("quota", [None, "balanced"])
def test_subsets_of_a_seed_are_those_of_version_0_4(policy, quota):
    draw = np.random.default_rng(4)
    scores, labels = draw.integers(0, 5, 300).astype(np.float32), draw.integers(0, 4, 300)
    table = kp.ScoreTable(
        [f"{row}" for row in range(300)],
        labels,
        {"s": scores},
        metadata={"scores": {"s": {"higher_is_harder": True}}},
    )
    rng, expected = np.random.default_rng(7), np.zeros(300, bool)
    classes = [np.arange(300)] if quota is None else [np.flatnonzero(labels == c) for c in range(4)]
    counts = [100] if quota is None else [25] * 4
    for rows, count in zip(classes, counts, strict=True):
        ranking = by_version_0_4(scores[rows], rng)
        expected[rows[ranking[:count] if policy == "hardest" else ranking[len(rows) - count :]]] = 1
    subset = kp.select(table, "s", 1 / 3, policy, quota, seed=7)
    np.testing.assert_array_equal(subset.mask, expected)


@pytest.mark.parametrize("classes", [1, 5, 300, 70_000])
def test_rows_by_class(classes):
    labels = np.random.default_rng(0).integers(0, classes, 400)
    rows = _rows_by_class(labels, classes + 2)
    assert len(rows) == classes + 2
    for label in {0, *labels[:20].tolist(), classes + 1}:
        np.testing.assert_array_equal(rows[label], np.flatnonzero(labels == label))
