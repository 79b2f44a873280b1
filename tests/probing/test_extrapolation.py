"""Scores of a part of the examples, carried over to the others."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr
from support import small
from support.carried_by_loops import brute_force

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.config import ProbeConfig
from keras_pruning.probing import extrapolation
from keras_pruning.probing.estimates import NEIGHBOURS, Extrapolation, estimation_error, over_probes
from keras_pruning.probing.extrapolation import neighbour_means
from keras_pruning.probing.scored_examples import scored_part
from keras_pruning.reports.scores import price_lines
from keras_pruning.selection.methods import method_name

EL2N = {"higher_is_harder": True, "over_seeds": "mean"}


# The pure function


def test_the_mean_of_the_nearest_of_the_same_label_by_hand():
    """On a line, two classes in turn. Scored are the positions 0, 1, 2, 3, 6 and 9."""
    vectors = np.array([[0.0], [1.0], [2.0], [3.0], [4.5], [5.0], [6.0], [9.0]], np.float32)
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    rows = np.array([0, 1, 2, 3, 6, 7])
    scores = np.array([[1.0], [10], [2], [20], [6], [90]])
    values = neighbour_means(scores, vectors, labels, rows, k=2)[:, 0]
    # 4.5 is between 2 and 6. 5 is between 1, 3 and 9. The scored ones never see their own score.
    expected = [(2 + 6) / 2, (20 + 90) / 2, (1 + 6) / 2, (10 + 90) / 2]
    expected += [(2 + 6) / 2, (10 + 20) / 2, (1 + 2) / 2, (10 + 20) / 2]
    np.testing.assert_allclose(values, expected)


@pytest.mark.parametrize("k", [1, 4, 30])
@pytest.mark.parametrize("block_bytes", [None, 4 * 3 * 5])
def test_the_same_as_brute_force(k, block_bytes, monkeypatch):
    """With a class that is scored whole, one with two scored examples and one with one."""
    if block_bytes:
        monkeypatch.setattr(extrapolation, "_BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(0)
    labels = np.concatenate([rng.integers(0, 3, 80), [3] * 6, [4] * 4, [5]])
    vectors = rng.normal(size=(91, 3)).astype(np.float32)
    rows = np.sort(np.concatenate([rng.permutation(80)[:30], np.arange(80, 86), [87, 89, 90]]))
    scores = rng.normal(size=(len(rows), 2))
    values = neighbour_means(scores, vectors, labels, rows, k)
    np.testing.assert_allclose(values, brute_force(scores, vectors, labels, rows, k))
    assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [90]


@pytest.mark.slow
def test_equally_near_examples_have_the_same_chance():
    """Twenty scored examples at one place: the mean over the seeds is the mean of all of them."""
    vectors, labels = np.zeros((21, 2), np.float32), np.zeros(21, int)
    scores, rows = np.arange(20.0)[:, np.newaxis] ** 2, np.arange(20)
    estimates = [
        neighbour_means(scores, vectors, labels, rows, 2, seed)[20, 0] for seed in range(200)
    ]
    assert len(set(estimates)) > 50
    # The standard error of the mean of 200 draws of two
    assert abs(np.mean(estimates) - scores.mean()) < 4 * scores.std() / 400**0.5


def test_other_unscored_examples_play_no_part():
    rng = np.random.default_rng(1)
    vectors, labels = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
    rows, scores = np.arange(0, 60, 2), rng.normal(size=(30, 1))
    values = neighbour_means(scores, vectors, labels, rows)
    vectors[1::4], labels[1::4] = 0, 0
    changed = neighbour_means(scores, vectors, labels, rows)
    kept = np.setdiff1d(np.arange(60), np.arange(1, 60, 4))
    np.testing.assert_array_equal(changed[kept], values[kept])


# The part


def test_the_part_is_stratified_and_has_exactly_as_many():
    examples = kp.load_examples("digits", fraction=0.1)
    part = scored_part(examples, 0.35, seed=3)
    assert (len(examples), len(part)) == (144, 50)  # 50.4; and 0.35 · 10 = 3.5 below
    np.testing.assert_array_equal(part.ids, scored_part(examples, 0.35, seed=3).ids)
    assert set(part.ids) != set(scored_part(examples, 0.35, seed=4).ids)
    shares = np.bincount(part.labels) / np.bincount(examples.labels)
    assert (abs(shares - 0.35) < 0.08).all()
    assert len(scored_part(small.random_images(10, classes=2), 0.35, 0)) == 4
    assert scored_part(examples, 1.0, 3) is examples


def test_a_part_that_is_too_small_or_everything():
    examples = small.random_images(50, classes=3)
    with pytest.raises(InputError, match=r"part to score is too small.*Received: 1 of 1\d of"):
        scored_part(examples, 0.1, 0)
    with pytest.raises(InputError, match="no other examples to estimate.*Received: 0.999"):
        scored_part(examples, 0.999, 0)
    with pytest.raises(InputError, match="Invalid `probe.fraction`"):
        ProbeConfig(fraction=0)
    # A class with a single example needs no neighbours once that is drawn.
    labels = np.array([0] * 50 + [1])
    lonely = kp.Examples.from_arrays(np.zeros((51, 2), np.float32), labels)
    assert 1 in scored_part(lonely, 0.5, 0).labels
    with pytest.raises(InputError, match="Received: 0 of 1 of the class '1', 20 of 51 in all"):
        scored_part(lonely, 0.4, 0)


# The price


def test_the_price_by_hand():
    """Ranks 1, 2, 3, 4 against 2, 1, 3, 4: 1 - 6 · 2 / (4 · 15) = 0.8. Errors 1, 1, 0, 6."""
    found = estimation_error(np.array([1.0, 2, 3, 10]), np.array([2.0, 1, 3, 4]))
    assert found["rank_correlation"] == pytest.approx(0.8)
    assert found["mean_absolute_error"] == pytest.approx(8 / 4)


def test_the_price_with_ties_and_without_any_spread():
    rng = np.random.default_rng(2)
    scores, held_out = rng.integers(0, 4, 50).astype(np.float32), rng.integers(0, 4, 50)
    expected = spearmanr(scores, held_out)[0]
    assert estimation_error(scores, held_out)["rank_correlation"] == pytest.approx(expected)
    assert estimation_error(np.ones(3), np.arange(3))["rank_correlation"] is None
    assert estimation_error(np.arange(3), np.ones(3))["rank_correlation"] is None


def carried(el2n, el2n_held_out, forgetting, forgetting_held_out):
    recorded = {"el2n": EL2N, "forgetting": {**EL2N, "over_seeds": "sum"}}
    metadata = {"scores": recorded}
    scores = {"el2n": el2n, "forgetting": forgetting}
    marked = [False, True, False, False, False]
    table = kp.ScoreTable(list("abcde"), [0, 0, 0, 0, 1], scores, None, metadata, marked)
    held_out = {"el2n": el2n_held_out, "forgetting": forgetting_held_out}
    return Extrapolation(
        table, kp.ScoreTable(["a", "c", "d"], [0, 0, 0], held_out, metadata=metadata)
    )


def test_the_price_of_several_probes_is_of_their_mean_or_sum():
    """Each probe alone is 2 off. Their means are 0, 1 and 1 off, in the same order."""
    probes = [
        carried([1, 9, 2, 3, 4], [3, 4, 5], [1, 9, 2, 3, 4], [3, 4, 5]),
        carried([1, 9, 2, 3, 4], [-1, 2, 3], [1, 9, 2, 3, 4], [-1, 2, 3]),
    ]
    table = over_probes(probes, fraction=0.8, seed=7)
    found = table.metadata["extrapolation"]
    assert {key: found[key] for key in ("fraction", "seed", "k")} == {
        "fraction": 0.8,
        "seed": 7,
        "k": NEIGHBOURS,
    }
    assert found["scores"]["el2n"]["rank_correlation"] == pytest.approx(1)
    assert found["scores"]["el2n"]["mean_absolute_error"] == pytest.approx(2 / 3)
    assert found["scores"]["forgetting"]["mean_absolute_error"] == pytest.approx(4 / 3)
    np.testing.assert_array_equal(table["forgetting"], [2, 18, 4, 6, 8])
    np.testing.assert_array_equal(table.extrapolated, [False, True, False, False, False])
    lines = list(price_lines(found))
    assert lines[-2].strip() == "el2n  rank correlation 1.000, mean absolute error 0.6667"
    assert list(price_lines(None)) == []


# The table and its selections


def table(extrapolated=(False, True, False), el2n=(0.25, 1.0, 0.5)):
    metadata = {"examples": {"fingerprint": "f"}, "scores": {"el2n": EL2N}}
    return kp.ScoreTable(list("abü"), [0, 1, 0], {"el2n": el2n}, None, metadata, extrapolated)


def test_the_mark_is_saved_and_loaded(tmp_path):
    marked = kp.ScoreTable.over_seeds([table(), table(el2n=(1, 2, 3))])
    marked.save(tmp_path / "scores.parquet")
    stored = pq.read_table(tmp_path / "scores.parquet")
    assert stored.column_names == ["id", "label", "el2n", "el2n_se", "extrapolated"]
    assert str(stored.schema.field("extrapolated").type) == "bool"
    loaded = kp.ScoreTable.load(tmp_path / "scores.parquet")
    assert loaded.names == ["el2n"]
    assert loaded.extrapolated.dtype == bool
    np.testing.assert_array_equal(loaded.extrapolated, [False, True, False])
    np.testing.assert_array_equal(loaded.standard_errors["el2n"], marked.standard_errors["el2n"])
    loaded.to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv") as file:
        assert [row["extrapolated"] for row in csv.DictReader(file)] == ["False", "True", "False"]


def test_without_extrapolated_scores_there_is_no_mark(tmp_path):
    plain = table(extrapolated=None)
    assert plain.extrapolated.tolist() == [False] * 3
    plain.save(tmp_path / "scores.parquet")
    assert pq.read_table(tmp_path / "scores.parquet").column_names == ["id", "label", "el2n"]
    assert not kp.ScoreTable.load(tmp_path / "scores.parquet").extrapolated.any()
    assert kp.select(plain, "el2n", 0.5).selection["extrapolated"] is False


def test_marks_of_another_length_or_of_other_examples():
    with pytest.raises(InputError, match=r"Invalid `extrapolated`.*\(3,\).*Received: .* \(2,\)"):
        table(extrapolated=(True, False))
    with pytest.raises(InputError, match="tables extrapolate different examples"):
        kp.ScoreTable.over_seeds([table(), table(extrapolated=(True, False, False))])


def test_reliability_counts_scored_examples_only():
    """They agree on all that they have scored, and on nothing else."""
    marked = [False] * 4 + [True] * 6
    columns = (np.arange(10), np.r_[np.arange(4), np.arange(9, 3, -1)])
    tables = [
        kp.ScoreTable(range(10), [0] * 10, {"el2n": column}, None, {}, marked) for column in columns
    ]
    found = kp.ScoreTable.over_seeds(tables).metadata["reliability"]["el2n"]
    assert found["split_half"] == pytest.approx(1)


@pytest.mark.filterwarnings("ignore:.*keeps no example of some classes")
def test_a_subset_tells_by_which_scores_it_was_selected(tmp_path):
    subset = kp.select(table(), "el2n", 0.5)
    subset.save(tmp_path / "subset.parquet")
    selection = kp.Subset.load(tmp_path / "subset.parquet").selection
    assert selection["extrapolated"] is True
    assert method_name(selection) == "el2n-extrapolated-hardest"
    assert method_name({**selection, "quota": "balanced"}).endswith("-hardest-balanced")
    # Random pruning is the same by whatever scores.
    for by in (None, "el2n"):
        assert method_name(kp.select(table(), by, 0.5, "random").selection) == "random"


def test_few_neighbours_and_useless_scores_are_reported():
    probes = [carried([1, 9, 2, 3, 4], [4, 3, 2], [1, 9, 2, 3, 4], [3, 4, 5])]
    found = over_probes(probes, fraction=0.8, seed=7).metadata["extrapolation"]
    assert found["fewest"] < NEIGHBOURS
    text = "\n".join(price_lines(found))
    assert f"fewer neighbours, down to {found['fewest']}" in text
    assert text.count("Not recommended for pruning") == 1
