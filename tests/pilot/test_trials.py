"""The splits of a pilot: disjoint rows, counts and seeds."""

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.pilot import trials
from keras_pruning.pilot.trials import CANDIDATES, splits

LABELS = np.repeat([0, 1], [700, 300])


def table(labels=LABELS):
    scores = {"el2n": np.random.default_rng(0).random(len(labels))}
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    return kp.ScoreTable(np.arange(len(labels)), labels, scores, metadata=metadata)


def test_every_policy_keeps_the_fraction_of_the_pool():
    scores = table()
    for split in splits(scores, "el2n", 0.25, None, [0, 1]):
        assert list(split.kept) == [*CANDIDATES, "random"]
        assert len(split.held_out) == 200
        assert (split.pool, split.ratio) == (800, 0.25)
        np.testing.assert_array_equal(np.bincount(LABELS[split.held_out]), [140, 60])
        for rows in split.kept.values():
            assert len(set(rows)) == 200
            assert not set(rows) & set(split.held_out)
        values = np.sort(scores["el2n"][np.setdiff1d(np.arange(1000), split.held_out)])
        np.testing.assert_array_equal(np.sort(scores["el2n"][split.kept["hardest"]]), values[-200:])
        np.testing.assert_array_equal(np.sort(scores["el2n"][split.kept["easiest"]]), values[:200])


def test_seeds_repeat_and_differ():
    first, again, other = (splits(table(), "el2n", 0.25, None, [seed])[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.held_out, again.held_out)
    np.testing.assert_array_equal(first.kept["random"], again.kept["random"])
    assert set(first.held_out) != set(other.held_out)


def test_a_part_a_quota_and_most_held_out_examples(monkeypatch):
    (split,) = splits(table(), "el2n", 0.5, "balanced", [0], part=0.4)
    assert (len(split.held_out), split.pool) == (80, 320)
    for rows in split.kept.values():
        np.testing.assert_array_equal(np.bincount(LABELS[rows]), [80, 80])
    monkeypatch.setattr(trials, "_MOST", 50)
    (split,) = splits(table(), "el2n", 0.5, None, [0])
    assert (len(split.held_out), split.pool) == (50, 950)


def test_policies_that_cannot_keep_the_fraction_are_left_out():
    (split,) = splits(table(), "el2n", 0.95, None, [0])
    assert list(split.kept) == ["easiest", "middle", "hardest", "random"]


def test_too_few_examples_are_refused():
    with pytest.raises(InputError, match="Too few examples for a pilot. Expected at least 3"):
        splits(table(np.zeros(2, int)), "el2n", 0.5, None, [0])
