"""The policy `deduplicate`, alone and together with other policies and quotas."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.selections import EVERY_QUOTA, quota_of

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.selection import POLICIES, get
from keras_pruning.selection.candidates import NEEDS, Candidates
from keras_pruning.selection.methods import description, method_name
from keras_pruning.selection.policy import Policy

# Small subsets of unequal classes: tests/selection/test_lost_classes.py has the warning.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The policy .* keeps no example"),
    pytest.mark.filterwarnings("ignore:No message arrives"),
]

COUNT = 60
OTHERS = [name for name in POLICIES if name != "deduplicate"]


def table(count=COUNT, seed=0):
    """Random scores, and labels of classes of 1/2, 1/3 and 1/6 of the examples."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [count // 2, count // 3, count - count // 2 - count // 3])
    scores = {"el2n": rng.random(count), "confidence": rng.random(count)}
    directions = {"el2n": {"higher_is_harder": True}, "confidence": {"higher_is_harder": False}}
    metadata = {"scores": directions}
    return kp.ScoreTable([f"{n}" for n in range(count)], labels, scores, metadata=metadata)


def vectors(copies, count=COUNT, seed=1):
    """Random vectors. The last `copies` are near the first ones of another class or the same."""
    rng = np.random.default_rng(seed)
    result = rng.normal(size=(count, 16))
    result[count - copies :] = result[:copies] * 3 + 0.01 * rng.normal(size=(copies, 16))
    return result.astype("float32")


def by(policy):
    return "el2n" if "difficulty" in get(policy).needs else None


def select(policy, fraction, quota=None, copies=15, seed=0, embedding=None):
    embedding = vectors(copies) if embedding is None else embedding
    return kp.select(table(), by(policy), fraction, policy, quota_of(quota, 3), seed, embedding)


@pytest.mark.parametrize("quota", EVERY_QUOTA)
@pytest.mark.parametrize("then", OTHERS)
def test_with_every_policy_and_quota_no_two_kept_are_near(then, quota):
    policy = {"name": "deduplicate", "threshold": 0.02, "then": then}
    subset = select(policy, 0.3, quota)
    assert len(subset) == 18
    first, last = subset.mask[:15], subset.mask[-15:]
    assert not (first & last).any()
    assert kp.near_duplicates(vectors(15)[subset.mask], 0.02).keep.all()
    assert (subset.mask == select(policy, 0.3, quota).mask).all()
    options = subset.selection["policy_options"]
    assert get({"name": "deduplicate", **options}).policy.get_config() == get(then).get_config()


def test_without_duplicates_it_keeps_as_the_other_policy():
    subset = select({"name": "deduplicate", "then": "hardest"}, 0.4, copies=0)
    hardest = kp.select(table(), "el2n", 0.4, "hardest")
    np.testing.assert_array_equal(subset.mask, hardest.mask)


def test_of_near_examples_the_hardest_is_kept():
    subset = select({"name": "deduplicate", "then": "hardest"}, 45 / 60)
    difficulty = table().difficulty("el2n")
    harder = difficulty[:15] > difficulty[-15:]
    np.testing.assert_array_equal(subset.mask[:15], harder)
    np.testing.assert_array_equal(subset.mask[-15:], ~harder)
    assert subset.mask[15:45].all()


def test_a_policy_without_difficulty_keeps_a_random_one():
    subsets = [select("deduplicate", 45 / 60, seed=seed).mask for seed in range(40)]
    first, last = np.mean([(mask[:15], mask[-15:]) for mask in subsets], axis=(0, 2))
    assert first + last == pytest.approx(1)
    # 600 draws of one of two.
    assert abs(first - 0.5) < 0.1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), copies=st.integers(0, 30))
def test_another_order_of_the_rows_keeps_the_same(seed, copies):
    scores, embedding = table(), vectors(copies)
    order = np.random.default_rng(seed).permutation(COUNT)
    moved = kp.ScoreTable(
        scores.ids[order],
        scores.labels[order],
        {"el2n": scores["el2n"][order]},
        metadata={"scores": {"el2n": {"higher_is_harder": True}}},
    )
    policy = {"name": "deduplicate", "then": "hardest"}
    subset = kp.select(scores, "el2n", 0.4, policy, embedding=embedding)
    other = kp.select(moved, "el2n", 0.4, policy, embedding=embedding[order])
    assert set(subset.kept_ids) == set(other.kept_ids)


def test_too_few_examples_are_completed_with_a_warning():
    message = "'deduplicate' keeps 9 near duplicates. Expected at least 54.*Received: 45 of 60"
    with pytest.warns(UserWarning, match=message) as caught:
        subset = select("deduplicate", 0.9)
    assert len(subset) == 54
    assert caught[0].filename == __file__
    # All that are no duplicates are kept, and nine of the others.
    assert subset.mask[15:45].all()
    assert (subset.mask[:15] | subset.mask[-15:]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(select("deduplicate", 45 / 60)) == 45


def test_options_of_the_other_policy_are_in_recipe_and_name():
    policy = {"name": "deduplicate", "threshold": 0.1, "then": {"name": "partial", "share": 0.5}}

    class Partial(Policy):
        name = "partial"
        needs = ("difficulty", "labels")

        def __init__(self, share=0.1):
            self.share = share

        def require_keep_fraction(self, keep_fraction):
            if keep_fraction > 1 - self.share:
                raise InputError(f"Expected at most {1 - self.share}. Received: {keep_fraction}")

        def shortlist(self, candidates, count, rng):
            half = int(np.ceil(len(candidates) * (1 - self.share)))
            return np.argsort(candidates.difficulty)[:half]

        def choose(self, candidates, count, rng):
            return np.arange(count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(POLICIES, "partial", Partial)
        made = get(policy)
        assert made.needs == ("embedding", "difficulty", "labels")
        assert get({"name": "deduplicate", **made.get_config()}).get_config() == made.get_config()
        selection = description("el2n", policy, None)
        assert selection["policy_options"] == {
            "threshold": 0.1,
            "then": {"name": "partial", "share": 0.5},
        }
        name = method_name(selection)
        assert name == "el2n-deduplicate-threshold=0.1-then=partial+share=0.5"
        # The other policy's shortlist is one of the examples that are left.
        subset = select(policy, 0.3, embedding=vectors(15))
        left = kp.near_duplicates(vectors(15), 0.1, priority=table().difficulty("el2n")).keep
        easiest = np.argsort(np.where(left, table().difficulty("el2n"), np.inf))[:23]
        assert subset.mask[np.setdiff1d(np.arange(60), easiest)].sum() == 0
        with pytest.raises(InputError, match="Expected at most 0.5. Received: 0.6"):
            select(policy, 0.6)
        message = (
            "duplicates leave too few examples.*here of 45 without near duplicates.*Received: 24. K"
        )
        with pytest.raises(InputError, match=message):
            select(policy, 0.4)


def test_a_policy_as_an_instance():
    class Own(Policy):
        name = "own"
        needs = ()

        def choose(self, candidates, count, rng):
            return np.arange(count)

    policy = POLICIES["deduplicate"](0.02, Own())
    subset = select(policy, 0.25)
    assert subset.selection["policy_options"] == {"threshold": 0.02, "then": "own"}
    assert method_name(subset.selection) == "deduplicate-threshold=0.02-then=own"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"name": "deduplicate", "threshold": 1}, r"Invalid `threshold`. Expected a number in"),
        ({"name": "deduplicate", "then": "hardst"}, "Unknown policy.*'hardst'"),
        ({"name": "deduplicate", "then": 3}, "Invalid `then`. Expected the name of another.*: th"),
        ({"name": "deduplicate", "then": "deduplicate"}, "Invalid `then`.*an object of the type"),
        ({"name": "deduplicate", "then": {"name": "random", "beta": 1}}, "policy 'random'"),
        ({"name": "deduplicate", "than": "random"}, "Expected some of .'threshold', 'then'"),
        ({"name": "hardest", "then": "random"}, "options of the policy 'hardest'"),
    ],
)
def test_wrong_options(policy, message):
    with pytest.raises(InputError, match=message):
        get(policy)


def test_a_missing_embedding_or_score_is_named():
    policy = {"name": "deduplicate", "then": "hardest"}
    with pytest.raises(InputError, match="'deduplicate' needs a score and an embedding"):
        kp.select(table(), None, 0.5, policy)


def test_candidates_have_all_needs_of_the_other_policy():
    policy = POLICIES["deduplicate"](then=get("random"))
    candidates = Candidates(COUNT, {"embedding": vectors(15)})
    assert set(policy.needs) <= set(NEEDS)
    rows = policy.shortlist(candidates, 10, np.random.default_rng(0))
    assert len(rows) == 45
