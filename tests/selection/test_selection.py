"""Common checks of every policy in the registry, and class quotas."""

import copy

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.selections import accepts, select, table

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.examples import fractions
from keras_pruning.selection import POLICIES, get, quotas

# Small subsets of unequal classes: tests/selection/test_lost_classes.py has the warning.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The policy .* keeps no example"),
    pytest.mark.filterwarnings("ignore:The policy .* keeps .* near duplicates"),
]
EVERY = pytest.mark.parametrize("policy", POLICIES)


def unbalanced():
    labels = np.repeat([0, 1, 2, 3], [100, 60, 7, 3])
    return table(np.random.default_rng(0).random(170), labels)


@EVERY
def test_registered_under_its_own_name(policy):
    assert get(policy).name == policy
    assert get(get(policy)).name == policy


@EVERY
@pytest.mark.parametrize("quota", [None, *quotas.QUOTAS])
@pytest.mark.parametrize(
    ("keep_fraction", "count"), [(1, 170), (0.5, 85), (0.015, 3), (0.25, 43), (0.35, 60)]
)
def test_counts_are_exact(policy, quota, keep_fraction, count):
    if not accepts(policy, keep_fraction):
        pytest.skip("The policy refuses the fraction.")
    subset = select(unbalanced(), keep_fraction, policy, quota)
    assert len(subset) == subset.mask.sum() == len(subset.kept_ids) == count
    assert subset.metadata["selection"]["kept"] == count


@EVERY
@pytest.mark.parametrize("quota", [None, "balanced"])
def test_the_same_seed_repeats_and_another_seed_differs(policy, quota):
    ties = table(np.zeros(100), np.arange(100) % 3)
    equal = np.ones((100, 2))
    masks = [select(ties, 0.3, policy, quota, seed, equal).mask for seed in (0, 0, 1)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()


@EVERY
def test_ties_are_not_broken_by_position(policy):
    """Class-sorted data whose scores are all equal must not lose whole classes."""
    labels = np.repeat(np.arange(10), 100)
    equal = np.ones((1000, 2))
    kept = select(table(np.zeros(1000), labels), 0.2, policy, embedding=equal).mask
    assert np.bincount(labels[kept], minlength=10).min() >= 8


def test_hardest_and_easiest_by_hand():
    scores = table([3, 1, 4, 1.5, 9, 2.6])
    assert list(kp.select(scores, "s", 0.5, "hardest").kept_ids) == ["id-0", "id-2", "id-4"]
    assert list(kp.select(scores, "s", 0.5, "easiest").kept_ids) == ["id-1", "id-3", "id-5"]


def test_a_score_that_is_low_for_hard_examples_is_turned_around():
    scores = table([3, 1, 4, 1.5, 9, 2.6], higher_is_harder=False)
    assert list(kp.select(scores, "s", 0.5, "hardest").kept_ids) == ["id-1", "id-3", "id-5"]


@pytest.mark.parametrize("quota", [None, "balanced"])
def test_hardest_and_easiest_partition_the_data(quota):
    data = unbalanced() if quota is None else table(np.arange(40) // 4, np.arange(40) % 4)
    for keep_fraction in (0.1, 0.3, 0.7):
        hardest = kp.select(data, "s", keep_fraction, "hardest", quota, seed=3)
        easiest = kp.select(data, "s", round(1 - keep_fraction, 2), "easiest", quota, seed=3)
        np.testing.assert_array_equal(hardest.mask, ~easiest.mask)


def test_random_needs_no_score_and_is_uniform():
    data = unbalanced()
    kept = np.mean([kp.select(data, None, 0.3, "random", seed=s).mask for s in range(400)], axis=0)
    np.testing.assert_allclose(kept, 0.3, atol=0.12)
    assert abs(kept[:100].mean() - 0.3) < 0.02
    with pytest.raises(InputError, match="policy 'hardest' needs a score. Expected `by`"):
        kp.select(data, None, 0.3, "hardest")


def test_balanced_quota_by_hand():
    """170 examples in classes of 100, 60, 7, 3: of 50, the short two give their rest away."""
    subset = kp.select(unbalanced(), "s", 50 / 170, "hardest", "balanced")
    np.testing.assert_array_equal(np.bincount(subset.kept_labels), [20, 20, 7, 3])
    scores, labels = unbalanced()["s"], unbalanced().labels
    for label, share in enumerate([20, 20, 7, 3]):
        threshold = np.sort(scores[labels == label])[-share]
        np.testing.assert_array_equal(
            subset.mask[labels == label], scores[labels == label] >= threshold
        )


def test_an_odd_example_of_a_quota_goes_to_a_random_class():
    winners = {
        int(np.argmax(quotas.balanced(np.full(3, 10), 4, np.random.default_rng(seed))))
        for seed in range(30)
    }
    assert winners == {0, 1, 2}


def test_balanced_quota_with_an_empty_class():
    counts = quotas.balanced(np.array([0, 5, 5]), 6, np.random.default_rng(0))
    np.testing.assert_array_equal(counts, [0, 3, 3])


def test_proportional_by_hand():
    counts = fractions.proportional(np.array([60, 30, 10]), 15, np.random.default_rng(0))
    assert list(counts) in ([9, 5, 1], [9, 4, 2])
    counts = fractions.proportional(np.array([50, 30, 20]), 10, np.random.default_rng(0))
    np.testing.assert_array_equal(counts, [5, 3, 2])


def test_stratified_rows_have_the_shares_of_the_data():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    rows = fractions.stratified_rows(labels, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(labels[rows]), [50, 30, 20])
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize(
    ("fraction", "number", "count"),
    [(0.145, 100, 15), (0.5, 5, 3), (0.25, 10, 3), (0.35, 10, 4), (1, 7, 7), (0.1, 15, 2)],
)
def test_keep_count_rounds_half_up_in_decimal(fraction, number, count):
    assert fractions.keep_count(fraction, number) == count


@pytest.mark.parametrize("keep_fraction", [0, 1.5, -0.1, float("nan"), "half", True, None])
def test_refuses_fractions_outside_0_and_1(keep_fraction):
    message = r"Invalid `keep_fraction`. Expected a float in \(0, 1\]. Received: keep_fraction="
    with pytest.raises(InputError, match=message):
        kp.select(unbalanced(), "s", keep_fraction)


def test_refuses_a_fraction_that_keeps_nothing():
    with pytest.raises(InputError, match="keeps at least one example of 170. Received.*0.001"):
        kp.select(unbalanced(), "s", 0.001)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"by": "t"},
            r"Unknown score in this table. Expected one of \['confidence', 's'\]. Received: 't'",
        ),
        ({"by": "s", "policy": "harder"}, "Unknown policy. Expected one of .*'hardest'.*Received"),
        ({"by": "s", "quota": "equal"}, "Unknown quota. Expected one of .*'balanced'.*Received"),
    ],
)
def test_refuses_unknown_names(arguments, message):
    with pytest.raises(InputError, match=message):
        kp.select(unbalanced(), **arguments)


def test_all_ids_are_not_taken_for_the_kept_ones(tmp_path):
    subset = kp.Subset(["a", "b", "c"], [0, 1, 2], [True, False, True])
    assert (subset.kept_ids.tolist(), subset.kept_labels.tolist()) == (["a", "c"], [0, 2])
    with pytest.raises(AttributeError, match="no attribute 'ids'. Use `kept_ids`, or `all_ids`"):
        subset.ids  # noqa: B018
    assert not hasattr(subset, "other")
    subset.save(tmp_path / "s.parquet")
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.column_names == ["kept", "id", "label"]
    assert copy.deepcopy(kp.Subset.load(tmp_path / "s.parquet")).all_ids.tolist() == ["a", "b", "c"]
