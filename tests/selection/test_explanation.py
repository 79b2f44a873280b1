"""The explanation of a subset, against numbers by hand."""

import pickle

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.selection.explanation import CLASSES

LABELS = [0, 0, 0, 0, 2, 2, 2, 2, 2, 2]


def table(scale=1.0):
    """Ten examples of two classes, and no example of class 1. `aum` is low for hard ones."""
    metadata = {"scores": {"el2n": {"higher_is_harder": True}, "aum": {"higher_is_harder": False}}}
    values = {"el2n": scale * np.arange(10.0), "aum": -scale * np.arange(10.0)}
    return kp.ScoreTable([f"i{row}" for row in range(10)], LABELS, values, metadata=metadata)


@pytest.fixture
def subset():
    """Keeps the rows 5 to 9."""
    return kp.select(table(), "aum", 0.5)


pytestmark = pytest.mark.filterwarnings("ignore:The policy .* keeps no example")


def test_classes_by_hand(subset):
    explained = subset.explain()
    assert explained.name == "aum-hardest-keep-0.50"
    assert explained.labels.tolist() == [0, 2]
    assert explained.available.tolist() == [4, 6]
    assert explained.kept.tolist() == [0, 5]
    np.testing.assert_allclose(explained.kept_share, [0, 5 / 6])
    # Means of 0 to 3, of 4 to 9 and of 5 to 9: higher is harder, although AUM is not.
    np.testing.assert_allclose(explained.difficulty, [1.5, 6.5])
    np.testing.assert_allclose(explained.difficulty_kept, [np.nan, 7])
    assert explained.difficulty_of_all == (4.5, 7)


def test_overlaps_by_hand(subset):
    easiest = kp.select(table(), "el2n", 0.7, "easiest")
    for others in ([easiest], easiest, {"el2n-easiest-keep-0.70": easiest}):
        random, other = subset.explain(others=others).overlaps
        assert (random.share, random.by_chance) == (0.5, 0.5)
        # The rows 5 and 6 of 5 to 9 are among the easiest seven of ten.
        assert (other.name, other.shared) == ("el2n-easiest-keep-0.70", 2)
        assert (other.share, other.by_chance) == (0.4, 0.7)


@pytest.mark.slow
def test_chance_is_the_mean_overlap_with_random_subsets():
    hardest = kp.select(table(), "el2n", 0.3)
    others = [kp.select(table(), None, 0.4, "random", seed=seed) for seed in range(2000)]
    overlaps = hardest.explain(others=others).overlaps
    assert np.mean([overlap.share for overlap in overlaps[1:]]) == pytest.approx(0.4, abs=0.02)
    assert {overlap.by_chance for overlap in overlaps[1:]} == {0.4}
    assert overlaps[0].share == 0.3
    assert len({overlap.name for overlap in overlaps}) == 2001


def test_it_prints_a_table_of_classes_and_one_of_overlaps(subset):
    lines = repr(subset.explain()).splitlines()
    assert lines[2].split("  ")[0] == "class"
    assert lines[3].split() == ["0", "4", "0", "0.0%", "40.0%", "0.0%", "1.5"]
    assert lines[4].split() == ["2", "6", "5", "83.3%", "60.0%", "100.0%", "6.5", "7"]
    assert lines[5].split() == ["all", "10", "5", "50.0%", "100.0%", "100.0%", "4.5", "7"]
    assert lines[8].split() == ["random", "(expected)", "50.0%", "50.0%"]
    assert len(lines) == 9


def test_a_subset_from_a_file_needs_the_table_for_the_difficulty(subset, tmp_path):
    subset.save(tmp_path / "s.parquet")
    loaded = kp.Subset.load(tmp_path / "s.parquet")
    without = loaded.explain()
    assert without.difficulty is None
    assert without.kept.tolist() == [0, 5]
    assert "Give `table`, the score table, to see it." in repr(without)
    assert repr(loaded.explain(table())) == repr(subset.explain())
    assert loaded.explain(table(), by="el2n").score == "el2n"
    with pytest.raises(InputError, match="from another score table. Expected .* digest .* Load"):
        loaded.explain(table(2.0))


def test_a_selection_without_a_score_takes_one():
    subset = kp.select(table(), None, 0.5, "random")
    assert "Give `by`" in repr(subset.explain())
    assert subset.explain(by="el2n").difficulty_of_all[0] == 4.5


def test_a_mask_of_ones_own_is_explained():
    scores = table()
    subset = kp.Subset(scores.ids, scores.labels, np.arange(10) < 4)
    assert subset.explain(scores, "el2n").difficulty_of_all == (4.5, 1.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "vog"}, "Unknown score in this table. Expected one of"),
        ({"table": "scores.parquet"}, "Invalid `table`. Expected a ScoreTable"),
        ({"others": {"a": None}}, "Invalid `subset`. Expected a Subset"),
        ({"others": 3}, "Invalid `subset`. Expected a Subset"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message, subset):
    with pytest.raises(InputError, match=message):
        subset.explain(**arguments)


def test_other_examples_are_refused(subset):
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    other = kp.ScoreTable(np.arange(10), LABELS, {"el2n": np.arange(10.0)}, metadata=metadata)
    with pytest.raises(InputError, match="about other examples. Expected the 10 ids and labels"):
        subset.explain(other)
    with pytest.raises(InputError, match="'b' is of other examples. Expected the 10 ids"):
        subset.explain(others={"b": kp.select(other, "el2n", 0.5)})


def test_of_many_classes_those_with_the_smallest_part_are_shown():
    labels = np.repeat(np.arange(CLASSES + 5), 4)
    mask = np.arange(len(labels)) % 4 == 0
    mask[-20:] = True
    explained = kp.Subset(np.arange(len(labels)), labels, mask).explain()
    _, rows = explained.class_table()
    assert [row[0] for row in rows] == [*map(str, range(CLASSES)), "all"]
    assert explained.remarks()[0] == "5 classes that keep a larger part are not shown."
    assert len(explained.labels) == CLASSES + 5


def test_names_that_a_terminal_would_obey_are_escaped(subset):
    shown = repr(subset.explain(others={"\x1b[31mred": subset}))
    assert "\x1b" not in shown
    assert r"\x1b[31mred" in shown


def test_a_copy_for_another_process_leaves_the_scores_behind(subset):
    copy = pickle.loads(pickle.dumps(subset))
    assert copy.table is None
    assert subset.table is not None
    np.testing.assert_array_equal(copy.mask, subset.mask)
