"""Properties of every policy with every quota, on data that hypothesis makes up."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.selections import (
    EVERY,
    EVERY_QUOTA,
    accepts,
    quota_of,
    select,
    shortens,
    table,
    vectors,
)

from keras_pruning.examples.fractions import rounded_count
from keras_pruning.selection.quotas.shares import shares

# Small subsets of unequal classes, embeddings of any scale.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The policy .* keeps"),
    pytest.mark.filterwarnings("ignore:No message arrives"),
]
EACH = pytest.mark.parametrize("policy", EVERY)
EACH_QUOTA = pytest.mark.parametrize("quota", EVERY_QUOTA)
SETTINGS = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    # Small counts and fractions that a policy refuses are filtered out.
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
SIZES = st.lists(st.integers(0, 12), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 1)
POLICIES, QUOTAS = st.sampled_from(EVERY), st.sampled_from(EVERY_QUOTA)
FRACTIONS = st.sampled_from([0.05, 0.1, 0.145, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0])


@st.composite
def tables(draw):
    """Unbalanced classes, in any order, with few different scores."""
    labels = np.repeat(np.arange(5), [*draw(SIZES), *[0] * 5][:5])
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rng.shuffle(labels)
    scores = rng.integers(0, draw(st.sampled_from([1, 3, 1000])) + 1, len(labels)) / 7
    return table(scores, labels, confidence=rng.random(len(labels)))


@EACH
@SETTINGS
@given(quota=QUOTAS, data=tables(), keep_fraction=FRACTIONS, seed=st.integers(0, 3))
def test_counts_are_exact_and_seeds_repeat(policy, quota, data, keep_fraction, seed):
    count = rounded_count(keep_fraction, len(data))
    assume(count > 0 and accepts(policy, keep_fraction))
    subset = select(data, keep_fraction, policy, quota, seed)
    assert subset.mask.sum() == count
    again = select(data, keep_fraction, policy, quota, seed)
    np.testing.assert_array_equal(subset.mask, again.mask)


@pytest.mark.parametrize("quota", [quota for quota in EVERY_QUOTA if quota])
@SETTINGS
@given(policy=POLICIES, data=tables(), keep_fraction=FRACTIONS)
def test_quotas_are_exact_on_unbalanced_classes(policy, quota, data, keep_fraction):
    count = rounded_count(keep_fraction, len(data))
    assume(count > 0 and accepts(policy, keep_fraction))
    # A policy with a shortlist may have fewer examples of a class to give.
    assume(not shortens(policy))
    kept = np.bincount(select(data, keep_fraction, policy, quota).kept_labels, minlength=5)
    sizes = np.bincount(data.labels, minlength=5)
    assert (kept <= sizes).all()
    filled = sizes > 0
    if quota == "balanced":
        # Only a class that is kept whole has fewer than others, up to an odd example.
        assert (kept[filled & (kept < sizes)] >= kept.max() - 1).all()
    elif quota == "proportional":
        assert (np.abs(kept - sizes * count / sizes.sum()) < 1).all()
    elif quota == "at_least":
        floors = np.minimum(np.ceil(0.5 * count / filled.sum()), sizes)
        assert (kept >= floors).all() or floors.sum() > count
    elif quota == "by_error":
        errors = 1 - np.asarray(quota_of(quota, int(data.labels.max()) + 1).recalls)
        errors = np.pad(errors, (0, 5 - len(errors)))
        # A class that is not kept whole has its share by error, up to one example.
        level = kept / np.where(filled, errors, 1)
        partial = filled & (kept < sizes)
        assert (
            kept[partial] + 1 >= errors[partial] * (level.max() - 1 / errors[filled].min())
        ).all()


@EACH
@EACH_QUOTA
def test_ties_are_broken_at_random_and_never_by_row(policy, quota):
    """Of equal examples, each is kept equally often, wherever it stands."""
    labels, equal = np.repeat([0, 1], 6), np.ones((12, 2))
    data = table(np.ones(12), labels)
    masks = [select(data, 0.5, policy, quota, seed, equal).mask for seed in range(120)]
    shares_kept = np.mean(masks, axis=0)
    # By class, because a quota may keep unequal numbers: four standard deviations.
    for label in (0, 1):
        kept = shares_kept[labels == label]
        assert np.abs(kept - kept.mean()).max() < 4 * np.sqrt(0.25 / len(masks))


@EACH
@SETTINGS
@given(quota=QUOTAS, seed=st.integers(0, 99), keep_fraction=st.sampled_from([0.2, 0.5, 0.7]))
def test_the_order_of_the_rows_does_not_matter(policy, quota, seed, keep_fraction):
    rng = np.random.default_rng(seed)
    labels, embedding = rng.integers(0, 3, 30), vectors(30)
    data = table(rng.random(30), labels, confidence=rng.random(30))
    order = rng.permutation(30)
    shuffled = table(data["s"][order], labels[order], confidence=data["confidence"][order])
    masks = [select(data, keep_fraction, policy, quota, s, embedding).mask for s in range(5)]
    moved = np.zeros(30, bool)
    moved[order] = select(shuffled, keep_fraction, policy, quota, 0, embedding[order]).mask
    counts = [np.bincount(labels[mask], minlength=3) for mask in (moved, *masks)]
    if quota in ("balanced", "proportional", "by_error") and not shortens(policy):
        # The odd examples of a quota go to random classes.
        assert np.abs(counts[0] - counts[1]).max() <= 1
    # A policy that draws keeps other examples with another seed
    free = [select(data, keep_fraction, policy, None, s, embedding).mask for s in range(5)]
    draws = any((mask != free[0]).any() for mask in free)
    for label in np.flatnonzero(counts[0] == counts[1]) if not draws else []:
        members = [mask[labels == label] for mask in masks]
        # Within a class there may be ties: of two vectors, each represents the other as well.
        if all((other == members[0]).all() for other in members):
            np.testing.assert_array_equal(moved[labels == label], members[0])


@pytest.mark.parametrize("policy", EVERY)
def test_policies_that_draw_do_not_look_at_the_row(policy):
    """Each example is kept equally often before and after its row changes."""
    rng = np.random.default_rng(0)
    data = table(rng.random(16), np.arange(16) % 2, confidence=rng.random(16))
    order, embedding = rng.permutation(16), vectors(16)
    shuffled = table(data["s"][order], data.labels[order], confidence=data["confidence"][order])
    kept, moved = np.zeros(16), np.zeros(16)
    for seed in range(150):
        kept += select(data, 0.5, policy, None, seed, embedding).mask
        moved[order] += select(shuffled, 0.5, policy, None, 1000 + seed, embedding[order]).mask
    assert np.abs(kept - moved).max() / 150 < 4.5 * np.sqrt(0.5 / 150)


@EACH
@EACH_QUOTA
def test_a_class_smaller_than_its_share_is_kept_whole(policy, quota):
    labels = np.repeat([0, 1, 2], [40, 40, 3])
    data = table(np.random.default_rng(0).random(83) + (labels == 2), labels)
    subset = select(data, 0.5, policy, quota)
    if quota in ("balanced", "by_error") and not shortens(policy):
        assert np.bincount(subset.kept_labels)[2] == 3
    assert len(subset) == 42


@SETTINGS
@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    weights=st.lists(st.sampled_from([0, 0.1, 0.5, 1.0, 30.0]), min_size=6, max_size=6),
    part=st.floats(0, 1),
)
def test_shares_fill_up_like_water(sizes, weights, part):
    """Against a plain loop that gives one example after another away."""
    sizes, weights = np.array(sizes), np.array(weights[: len(sizes)])
    total = int(part * sizes.sum())
    counts = shares(weights, sizes, total, np.random.default_rng(0))
    assert counts.sum() == total
    assert ((counts >= 0) & (counts <= sizes)).all()
    # Water level: a fine-grained pouring, in thousandths of an example.
    exact, step = np.zeros(len(sizes)), 1e-3
    for _ in range(round(total / step)):
        is_open = exact < sizes - 1e-9
        current = np.where(weights > 0, weights, 0) * is_open
        current = current if current.any() else is_open.astype(float)
        exact += step * current / current.sum()
    assert (np.abs(counts - exact) < 1.01).all()
