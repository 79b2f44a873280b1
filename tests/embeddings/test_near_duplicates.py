"""Near duplicates and leaks against definitions by loops, and the memory that they take."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.backend.tensorflow.close_pairs import ClosePairs, UnitVectors
from keras_pruning.embeddings import duplicate_search

# Blocks of all vectors, of a few, and of one or two.
LIMITS = [2**29, 2**13, 2**11]


def distances(first, second):
    """1 − cos of all pairs, in extended precision. Zero vectors are near to each other only."""
    units = []
    for vectors in (first, second):
        vectors = np.asarray(vectors, np.longdouble)
        lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
        zero = lengths == 0
        units.append(np.concatenate([vectors / np.where(zero, 1, lengths), zero], axis=1))
    differences = units[0][:, np.newaxis] - units[1]
    return ((differences**2).sum(axis=2) / 2).astype(float)


def by_loops(near, order):
    """The kept examples, and the number of the component of each."""
    kept = []
    for row in order:
        if not near[row, kept].any():
            kept.append(row)
    return np.isin(np.arange(len(near)), kept), connected_components(near)[1]


def clusters(count, dimensions, seed, spread=0.1):
    """Vectors around a few centers, with copies, multiples and zeros among them."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(max(1, count // 8), dimensions))
    vectors = centers[rng.integers(0, len(centers), count)]
    vectors = vectors + spread * rng.normal(size=vectors.shape)
    vectors[rng.integers(0, count, count // 4)] = 0.5 * vectors[rng.integers(0, count, count // 4)]
    vectors[rng.random(count) < 0.1] = 0
    return vectors.astype("float32")


def require_definition(vectors, threshold, groups, priority=None):
    """Checks a result against DEFINITIONS: components, greedy choice, and a kept one nearby."""
    near = distances(vectors, vectors) <= threshold + 1e-13
    order = np.arange(len(vectors)) if priority is None else np.argsort(-priority, kind="stable")
    keep, components = by_loops(near, order)
    np.testing.assert_array_equal(groups.keep, keep)
    # Each component has one number, in the order of its first row.
    firsts = [np.flatnonzero(components == number)[0] for number in components]
    np.testing.assert_array_equal(groups.numbers, np.unique(firsts, return_inverse=True)[1])
    # No two kept examples are near, and every dropped one is near a kept one.
    kept = np.flatnonzero(groups.keep)
    assert near[np.ix_(kept, kept)].sum() == len(kept)
    assert near[np.arange(len(vectors)), groups.kept_instead].all()
    assert groups.keep[groups.kept_instead].all()


def test_by_hand():
    angles = np.radians([0, 30, 60, 180, 210, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [2], [3], [4], [5], [6]]
    # 1 − cos 30° = 0.134: a chain of 0, 30, 60 and 90 degrees, and a pair.
    groups = kp.near_duplicates(vectors, 0.135, labels=["a", "a", "b", "c", "c", "a"])
    np.testing.assert_array_equal(groups.numbers, [0, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(groups.keep, [True, False, True, True, False, False])
    np.testing.assert_array_equal(groups.kept_instead, [0, 0, 2, 3, 3, 2])
    np.testing.assert_array_equal(groups.conflicting, [0])
    np.testing.assert_array_equal(groups.sizes, [4, 2])
    np.testing.assert_array_equal(groups.largest, [0, 1])
    np.testing.assert_array_equal(groups.rows(0), [0, 1, 2, 5])
    assert repr(groups) == "<NearDuplicates: 3 of 6 examples kept, 2 groups of several>"
    apart = kp.near_duplicates(vectors, 0.13)
    assert apart.keep.all()
    assert apart.conflicting is None
    np.testing.assert_array_equal(apart.numbers, np.arange(6))
    reverse = kp.near_duplicates(vectors, 0.135, priority=np.arange(6))
    np.testing.assert_array_equal(reverse.keep, [False, True, False, False, True, True])


@pytest.mark.parametrize("memory_limit", LIMITS)
@pytest.mark.parametrize("dimensions", [1, 3, 600])
def test_the_same_as_loops_over_all_pairs(dimensions, memory_limit):
    vectors = clusters(24, dimensions, seed=dimensions)
    priority = np.random.default_rng(0).integers(0, 9, 24)
    for threshold in (0, 1e-3, 0.3):
        groups = kp.near_duplicates(vectors, threshold, None, priority, memory_limit)
        require_definition(vectors, threshold, groups, priority)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, 24),
    spread=st.sampled_from([0.0, 1e-4, 0.1, 0.3]),
    threshold=st.sampled_from([0.0, 1e-6, 0.01, 0.05, 0.9]),
    seed=st.integers(0, 10**6),
)
def test_properties_of_groups_and_kept_examples(count, spread, threshold, seed):
    vectors = clusters(count, 4, seed, spread)
    groups = kp.near_duplicates(vectors, threshold)
    require_definition(vectors, threshold, groups)
    # Another order of the rows makes the same groups.
    order = np.random.default_rng(seed).permutation(count)
    moved = kp.near_duplicates(vectors[order], threshold)
    together = groups.numbers[order][:, np.newaxis] == groups.numbers[order]
    np.testing.assert_array_equal(together, moved.numbers[:, np.newaxis] == moved.numbers)
    # With the priority in that order too, the same examples are kept.
    kept = kp.near_duplicates(vectors[order], threshold, priority=-order).keep
    np.testing.assert_array_equal(kept, groups.keep[order])


def test_rounding_of_float32_decides_nothing():
    """Distances are on both sides of the threshold, closer to it than float32 can tell."""
    rng = np.random.default_rng(0)
    steps = np.arange(-20, 21) * 1e-10
    angles = np.arccos(0.95 - steps)
    first = rng.normal(size=(300,))
    second = rng.normal(size=(300,))
    first /= np.linalg.norm(first)
    second -= (second @ first) * first
    second /= np.linalg.norm(second)
    others = np.cos(angles)[:, np.newaxis] * first + np.sin(angles)[:, np.newaxis] * second
    for vector, step in zip(others, steps, strict=True):
        keep = kp.near_duplicates(np.stack([first, vector]), 0.05).keep
        assert keep[1] == (step > 0), step
    found = kp.leaks(others, first[np.newaxis], 0.05, most=99)
    np.testing.assert_array_equal(found.in_train, steps <= 0)
    # At the threshold itself, as far as numbers can be: 1 − 0.6 = 0.4.
    assert kp.near_duplicates(np.array([[1, 0], [3, 4]]), 0.4).keep.sum() == 1


def test_the_bound_on_rounding_holds_for_biased_sums():
    vectors = np.full((1, 5000), 1 / 3)
    units = UnitVectors(np.concatenate([vectors, vectors * 7.7]), False)
    pairs = ClosePairs(5000, 0.1, 2**20)
    tile, true, number = units.tile(slice(0, 2)), np.ones(2, bool), np.arange(2)
    _, _, cosines, _ = pairs(tile, tile, true, true, number, number)
    low, high = pairs.bounds.numpy()
    assert np.abs(cosines - 1).max() < (high - low) / 2


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1e30, 1e200])
def test_extreme_numbers_keep_their_direction(scale):
    vectors = np.array([[3.0, 4, 0], [3, 4.1, 0], [4, 3, 0], [0, 0, 0]])
    expected = kp.near_duplicates(vectors, 0.001)
    found = kp.near_duplicates(vectors * scale, 0.001)
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    np.testing.assert_array_equal(found.numbers, [0, 0, 1, 2])


@pytest.mark.parametrize("threshold", [0, 1e-7, 0.05])
def test_thousands_of_equal_vectors_need_no_list_of_pairs(threshold, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(3001, 8)).astype("float32")
    vectors[1:3000] = vectors[0]
    kp.near_duplicates(vectors[:9], threshold)
    compared = []
    exact = ClosePairs.distances

    def counted(pairs, first, rows, *others):
        compared.append(len(rows))
        return exact(pairs, first, rows, *others)

    monkeypatch.setattr(ClosePairs, "distances", counted)
    tracemalloc.start()
    groups = kp.near_duplicates(vectors, threshold, memory_limit=2**25)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert groups.sizes[0] == 3000
    assert np.flatnonzero(groups.keep).tolist() == [0, 3000]
    # All 4.5 million pairs would take 72 MB and more.
    assert peak < 40e6
    assert sum(compared) < 20_000


def test_a_dense_group_is_one_component():
    """Thousands of near pairs beyond those of the kept examples join the groups."""
    vectors = clusters(2500, 6, 1, spread=0.05)[:, :3]
    for threshold in (0.01, 0.2):
        whole = kp.near_duplicates(vectors, threshold)
        parts = kp.near_duplicates(vectors, threshold, memory_limit=2**24)
        np.testing.assert_array_equal(whole.numbers, parts.numbers)
        np.testing.assert_array_equal(whole.kept_instead, parts.kept_instead)
        unit = vectors.astype(float)
        lengths = np.linalg.norm(unit, axis=1, keepdims=True)
        unit = np.concatenate([unit / np.where(lengths, lengths, 1), lengths == 0], axis=1)
        count, _ = connected_components(1 - unit @ unit.T <= threshold)
        assert count == whole.numbers.max() + 1


def test_labels_may_be_strings_of_any_kind():
    labels = ["a", "b", "b"]
    for form in (
        labels,
        np.array(labels),
        np.array(labels, object),
        [0, 1, 1],
        [False, True, True],
    ):
        groups = kp.near_duplicates([[1.0, 0], [1, 0], [0, 1]], labels=form)
        assert groups.conflicting.tolist() == [0]


def test_a_file_and_a_memory_map(tmp_path):
    vectors = clusters(30, 5, 0)
    np.save(tmp_path / "vectors.npy", vectors)
    expected = kp.near_duplicates(vectors)
    for source in (
        tmp_path / "vectors.npy",
        str(tmp_path / "vectors.npy"),
        np.load(tmp_path / "vectors.npy", mmap_mode="r"),
        vectors.astype(float),
    ):
        np.testing.assert_array_equal(kp.near_duplicates(source).keep, expected.keep)


@pytest.mark.parametrize("memory_limit", LIMITS)
@pytest.mark.parametrize("threshold", [0, 0.05, 0.3])
def test_leaks_are_the_same_as_by_loops(threshold, memory_limit):
    vectors = clusters(60, 4, 3)
    train, test = vectors[:35], vectors[35:]
    found = kp.leaks(train, test, threshold, most=3, memory_limit=memory_limit)
    apart = distances(test, train)
    near = apart <= threshold + 1e-13
    np.testing.assert_array_equal(found.counts, near.sum(axis=1))
    np.testing.assert_array_equal(found.in_test, near.any(axis=1))
    np.testing.assert_array_equal(found.in_train, near.any(axis=0))
    np.testing.assert_array_equal(
        np.bincount(found.test_rows, minlength=25), np.minimum(near.sum(axis=1), 3)
    )
    assert near[found.test_rows, found.train_rows].all()
    np.testing.assert_allclose(
        found.distances, apart[found.test_rows, found.train_rows], atol=1e-13
    )
    # The nearest ones are listed, in ascending order.
    for row in np.unique(found.test_rows):
        listed = found.distances[found.test_rows == row]
        np.testing.assert_allclose(listed, np.sort(apart[row])[: len(listed)], atol=1e-6)
        assert (np.diff(listed) >= 0).all()


def test_thousands_of_equal_leaks_are_counted_and_not_listed():
    vector = np.ones((1, 4))
    found = kp.leaks(np.repeat(vector, 3000, 0), np.repeat(vector, 40, 0), most=2)
    assert (found.counts == 3000).all()
    assert len(found.train_rows) == 80
    assert found.in_train.all()
    assert repr(found).startswith("<Leaks: 40 of 40 test examples are near to 3,000 of 3,000")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 1}, r"Invalid `threshold`. Expected a number in \[0, 1\)"),
        ({"threshold": -0.1}, "Received: threshold=-0.1"),
        ({"threshold": float("nan")}, "Invalid `threshold`"),
        ({"threshold": True}, "Invalid `threshold`"),
        ({"threshold": "0.1"}, "Received: threshold='0.1'"),
        ({"labels": [0, 1]}, "Invalid `labels`. Expected one value for each of 3 examples"),
        ({"labels": [0.5, 1, 2]}, "Invalid `labels`"),
        ({"labels": [0, [1], "a"]}, "Invalid `labels`"),
        ({"labels": np.array(["a", None, "b"], object)}, "Invalid `labels`"),
        ({"priority": ["a", "b", "c"]}, "Invalid `priority`"),
        ({"priority": [1, np.nan, 2]}, "Received: NaN in row 1"),
        ({"memory_limit": 0}, "Invalid `memory_limit`"),
        ({"embedding": np.zeros(3)}, "Invalid `embedding`. Expected floats or integers of shape"),
        ({"embedding": [[1, np.inf]]}, "Expected finite numbers.*first in row 0"),
        ({"embedding": "none.npy"}, "Missing embedding file"),
    ],
)
def test_wrong_arguments_of_near_duplicates(arguments, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        kp.near_duplicates(**{"embedding": np.eye(3), **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_embedding": np.eye(4)}, "embeddings differ. Expected as many dimensions"),
        ({"test_embedding": [[np.nan, 1, 2]]}, "values in `test_embedding`"),
        ({"train_embedding": np.zeros((0, 3))}, "Invalid `train_embedding`"),
        ({"threshold": 2}, "Invalid `threshold`"),
        ({"most": 0}, "Invalid `most`"),
    ],
)
def test_wrong_arguments_of_leaks(arguments, message):
    with pytest.raises(InputError, match=message):
        kp.leaks(**{"train_embedding": np.eye(3), "test_embedding": np.eye(3), **arguments})


def test_components_of_a_forest_whatever_the_order_of_joins():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 200, (2, 150))
    forest = duplicate_search.Forest(200)
    for start in range(0, 150, 7):
        forest.join(first[start : start + 7], second[start : start + 7])
    near = np.zeros((200, 200), bool)
    near[first, second] = True
    _, components = connected_components(near, directed=False)
    roots = forest.roots(slice(None))
    lowest = [np.flatnonzero(components == number)[0] for number in components]
    np.testing.assert_array_equal(roots, lowest)
