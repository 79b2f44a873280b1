"""Each policy against numbers by hand and a plain quadratic derivation."""

import itertools

import numpy as np
import pytest
from support.selections import select, table, vectors

from keras_pruning import InputError
from keras_pruning.selection.candidates import Candidates
from keras_pruning.selection.policies.facility_location import FacilityLocation
from keras_pruning.selection.policies.k_center import KCenter
from keras_pruning.selection.policies.moderate import Moderate, median_distances
from keras_pruning.selection.policies.stratified import budgets, strata

TYPES = pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])


def scored(count=40, seed=0):
    rng = np.random.default_rng(seed)
    return table(rng.random(count), np.arange(count) % 2, confidence=rng.random(count))


def kept(*arguments, **options):
    return np.flatnonzero(select(*arguments, **options).mask)


def chosen(policy, embedding, count, seed=0, **arrays):
    """The rows in the order in which the policy chooses them."""
    candidates = Candidates(len(embedding), {"embedding": embedding, **arrays})
    return policy.choose(candidates, count, np.random.default_rng(seed))


def test_middle_by_hand():
    data = table([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    np.testing.assert_array_equal(kept(data, 0.4, "middle"), [3, 4, 5, 6])
    # One hardest of ten is skipped.
    np.testing.assert_array_equal(kept(data, 0.4, {"name": "middle", "offset": 0.1}), [1, 2, 3, 4])
    np.testing.assert_array_equal(kept(data, 0.9, {"name": "middle", "offset": 0.1}), range(1, 10))


def test_an_offset_is_taken_from_all_classes_together():
    """Both hardest are of class 0, which then has fewer examples to give."""
    data = table([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    subset = select(data, 0.4, {"name": "middle", "offset": 0.2}, "balanced")
    np.testing.assert_array_equal(np.flatnonzero(subset.mask), [2, 3, 4, 5])


@pytest.mark.parametrize("policy", [{"name": "middle", "offset": 0.3}, {"name": "stratified"}])
def test_more_than_what_is_left_is_refused(policy):
    share = policy.get("offset", 0.1)
    select(scored(), 1 - share, policy)
    message = f"skips the hardest {share} .*Expected keep_fraction <= {1 - share}. Received.*set a"
    with pytest.raises(InputError, match=message):
        select(scored(), 1 - share + 0.01, policy)


@pytest.mark.parametrize("value", [1, -0.1, "a", None, True, float("nan")])
def test_invalid_fractions_to_skip_are_refused(value):
    with pytest.raises(InputError, match="Invalid `beta`. Expected a number"):
        select(scored(), 0.5, {"name": "stratified", "beta": value})


def test_rounding_leaves_enough_examples():
    """Half of 5 are 3 and half of 5 are skipped: 3 again, of which one has to stay."""
    assert len(kept(scored(5), 0.5, {"name": "stratified", "beta": 0.5})) == 3


def test_strata_and_budgets_by_hand():
    difficulty = np.array([0, 0.1, 0.24, 0.25, 0.6, 0.61, 0.62, 0.63, 1.0])
    members = strata(difficulty, 4)
    np.testing.assert_array_equal(members, [0, 0, 0, 1, 2, 2, 2, 2, 3])
    # Sizes 3, 1, 4, 1. Of 6: 1, 1 to the smallest (6 // 4, 5 // 3), then 4 // 2 and the rest.
    counts = budgets(np.array([3, 1, 4, 1]), 6, np.random.default_rng(0))
    np.testing.assert_array_equal(counts, [2, 1, 2, 1])
    np.testing.assert_array_equal(strata(np.ones(3), 4), [0, 0, 0])


@pytest.mark.parametrize("keep_fraction", [0.1, 0.33, 0.6, 0.9])
def test_stratified_against_plain_loops(keep_fraction):
    data = scored(200, seed=3)
    difficulty = data["s"].astype(float) ** 3
    data = table(difficulty, data.labels)
    subset = select(data, keep_fraction, {"name": "stratified", "beta": 0.1, "strata": 7})
    # The 20 hardest are never kept.
    left = np.argsort(-data["s"])[20:]
    assert not subset.mask[np.argsort(-data["s"])[:20]].any()
    low, high = data["s"][left].min(), data["s"][left].max()
    width = (float(high) - float(low)) / 7
    groups = [[] for _ in range(7)]
    for row in left:
        groups[min(6, int((float(data["s"][row]) - float(low)) / width))].append(row)
    rest, expected = len(subset), []
    for place, group in enumerate(sorted(groups, key=len)):
        expected.append(min(len(group), rest // (7 - place)))
        rest -= expected[-1]
    got = [int(subset.mask[group].sum()) for group in sorted(groups, key=len)]
    assert sorted(got) == sorted(expected)
    assert rest == 0


def test_stratified_is_uniform_within_a_stratum():
    data = scored(60)
    masks = [
        select(data, 0.3, {"name": "stratified", "strata": 1}, None, s).mask for s in range(300)
    ]
    eligible = np.argsort(-data["s"])[6:]
    share = np.mean(masks, axis=0)
    np.testing.assert_allclose(share[eligible], 18 / 54, atol=4 * np.sqrt(0.25 / 300))


def test_beta_draws_with_the_probabilities_of_the_definition():
    """One of many examples is kept, so that the frequencies are the weights."""
    rng = np.random.default_rng(0)
    confidence, difficulty = rng.random(20), rng.random(20)
    data = table(difficulty, confidence=confidence)
    confidence, difficulty = data["confidence"].astype(float), data["s"].astype(float)
    mean = confidence[np.argsort(-difficulty)[:10]].mean()
    b = 15 * (1 - mean) * (1 - 0.95**4)
    # The density by its formula, without the constant that all share.
    weights = confidence ** (16 - b - 1) * (1 - confidence) ** (b - 1) * difficulty
    draws = [kept(data, 0.05, "beta", None, seed)[0] for seed in range(3000)]
    frequency = np.bincount(draws, minlength=20) / 3000
    np.testing.assert_allclose(frequency, weights / weights.sum(), atol=4 * np.sqrt(0.25 / 3000))
    assert frequency.max() > 0.2


def test_beta_moves_to_confident_examples_as_fewer_are_kept():
    rng = np.random.default_rng(0)
    confidence = rng.random(2000)
    data = table(1 - 0.01 * confidence, confidence=confidence)
    means = [confidence[kept(data, fraction, "beta")].mean() for fraction in (0.05, 0.15, 0.4)]
    assert means[0] > 0.7 > means[1] > 0.4 > means[2]


@pytest.mark.parametrize("policy", ["beta", "message_passing"])
def test_negative_difficulties_are_no_weights(policy):
    data = table(np.linspace(-1, 1, 20))
    with pytest.raises(InputError, match="uses the difficulty as a weight. Expected a score that"):
        select(data, 0.5, policy)


def test_moderate_by_hand():
    """Class 0 has the median 2, class 1 the median 20: distances 2, 1, 0, 3, 1 and 10, 0, 5."""
    embedding = np.array([[0.0], [1], [2], [5], [3], [10], [20], [25]])
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(median_distances(embedding, labels), [2, 1, 0, 3, 1, 10, 0, 5])
    # Descending 10, 5, 3, 2, 1, 1, 0, 0: the middle four are 3, 2, 1, 1.
    got = chosen(Moderate(), embedding, 4, labels=labels)
    np.testing.assert_array_equal(np.sort(got), [0, 1, 3, 4])


def test_the_median_is_taken_in_parts_of_the_dimensions(monkeypatch):
    embedding, labels = vectors(30, 7), np.arange(30) % 3
    whole = median_distances(embedding, labels)
    monkeypatch.setattr("keras_pruning.selection.policies.moderate._BLOCK", 20)
    np.testing.assert_allclose(median_distances(embedding, labels), whole, rtol=1e-12)


@TYPES
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [12, 24])
def test_message_passing_against_plain_loops(dtype, seed, count):
    # With many kept, the largest score is negative and raises its neighbours
    embedding = (vectors(30) * (0.2 + seed)).astype(dtype)
    scores = np.random.default_rng(seed).random(30).astype("float32")
    points = embedding.astype(float)
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    neighbors = [np.argsort(row)[1:5] for row in distance]
    raised = [
        scores[i] + sum(np.exp(-0.5 * distance[i, j]) * scores[j] for j in neighbors[i])
        for i in range(30)
    ]
    expected = []
    for _ in range(count):
        row = max((i for i in range(30) if i not in expected), key=lambda i: raised[i])
        expected.append(row)
        for j in neighbors[row]:
            raised[j] -= np.exp(-2 * distance[row, j]) * raised[row]
    policy = {"name": "message_passing", "neighbors": 4, "gamma_forward": 0.5, "gamma_reverse": 2}
    got = kept(table(scores), count / 30, policy, embedding=embedding)
    np.testing.assert_array_equal(got, np.sort(expected))


def test_message_passing_says_if_no_message_arrives():
    with pytest.warns(
        UserWarning, match="No message arrives.*hardest then. Expected.*Scale the emb"
    ):
        got = kept(scored(), 0.5, "message_passing", embedding=vectors(40) * 1000)
    np.testing.assert_array_equal(got, kept(scored(), 0.5, "hardest"))


def test_message_passing_prefers_diverse_examples():
    """Of two equal pairs of neighbours, one of each is kept, not both of the harder pair."""
    embedding = np.array([[0.0], [0.1], [5], [5.1]])
    got = kept(table([1, 0.99, 0.9, 0.89]), 0.5, "message_passing", embedding=embedding)
    np.testing.assert_array_equal(got // 2, [0, 1])


@TYPES
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("watched", "pending"), [(2048, 256), (3, 256), (15, 2)])
def test_k_center_against_plain_loops(dtype, seed, watched, pending, monkeypatch):
    monkeypatch.setattr("keras_pruning.selection.policies.k_center._WATCHED", watched)
    monkeypatch.setattr("keras_pruning.selection.policies.k_center._PENDING", pending)
    embedding = vectors(40, 3).astype(dtype)
    points = embedding.astype(float)
    rows = chosen(KCenter(), embedding, 12, seed)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = [rows[0]]
    while len(expected) < 12:
        expected.append(int(distance[:, expected].min(axis=1).argmax()))
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("seed", range(10))
def test_the_radius_of_k_center_is_within_twice_the_optimum(seed):
    points = np.random.default_rng(seed).normal(size=(12, 2))
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    radius = distance[:, chosen(KCenter(), points, 3, seed)].min(axis=1).max()
    best = min(
        distance[:, list(rows)].min(axis=1).max() for rows in itertools.combinations(range(12), 3)
    )
    assert best <= radius <= 2 * best


@TYPES
def test_herding_against_plain_loops(dtype):
    embedding = (vectors(40, 3) + 1).astype(dtype)
    points = embedding.astype(float)
    expected = []
    for _ in range(12):
        others = [row for row in range(40) if row not in expected]
        means = [points[[*expected, row]].mean(axis=0) - points.mean(axis=0) for row in others]
        expected.append(others[int(np.argmin(np.linalg.norm(means, axis=1)))])
    got = kept(scored(), 12 / 40, "herding", embedding=embedding)
    np.testing.assert_array_equal(got, np.sort(expected))


@pytest.mark.parametrize("policy", ["k_center", "herding"])
def test_one_long_vector_does_not_blur_the_others(policy):
    points = np.random.default_rng(0).normal(size=(300, 2))
    points[7] = [1e4, 0]
    masks = [
        select(scored(300), 0.1, policy, None, 0, points.astype(dtype)).mask
        for dtype in ("float32", "float64")
    ]
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    radius = [distance[:, mask].min(axis=1).max() for mask in masks]
    error = [np.linalg.norm(points[mask].mean(axis=0) - points.mean(axis=0)) for mask in masks]
    measured = radius if policy == "k_center" else error
    assert measured[0] <= 1.3 * measured[1] + 1e-3


def test_vectors_whose_squares_are_infinite_are_refused():
    embedding = np.full((40, 2), 1e30, "float32")
    embedding[::2] *= -1
    for policy in ("k_center", "herding"):
        with pytest.raises(InputError, match="vectors of the embedding are too long. Expected"):
            select(scored(), 0.5, policy, embedding=embedding)


def test_the_mean_of_herding_is_closer_than_of_random():
    points = np.random.default_rng(0).normal(size=(300, 8))
    error = {
        policy: [
            np.linalg.norm(
                points[kept(scored(300), 0.1, policy, None, seed, points)].mean(axis=0)
                - points.mean(axis=0)
            )
            for seed in range(20)
        ]
        for policy in ("herding", "random")
    }
    assert max(error["herding"]) < min(error["random"]) / 3


@TYPES
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("remembered", [0, 8, 60], ids="remembered{}".format)
def test_facility_location_against_plain_loops(dtype, seed, remembered, monkeypatch):
    module = "keras_pruning.selection.policies.facility_location"
    pair = np.dtype(dtype).itemsize + 4
    monkeypatch.setattr(f"{module}._REMEMBERED", 60 * remembered * pair)
    monkeypatch.setattr(f"{module}._BLOCK", 60 * 8 * 7)
    embedding = np.random.default_rng(seed).normal(size=(60, 5)).astype(dtype)
    points = embedding.astype(float)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    similarity = np.maximum(points @ points.T, 0)
    expected = []
    for _ in range(15):
        totals = [
            similarity[:, [*expected, row]].max(axis=1).sum() if row not in expected else -1
            for row in range(60)
        ]
        expected.append(int(np.argmax(totals)))
    np.testing.assert_array_equal(chosen(FacilityLocation(), embedding, 15), expected)


def test_facility_location_of_copies_takes_one_of_each_first():
    """Then nothing is gained, and the rest is drawn without looking at all pairs each time."""
    points = np.repeat(np.random.default_rng(0).normal(size=(20, 8)), 50, axis=0)
    rows = chosen(FacilityLocation(), points.astype("float32"), 400)
    assert len(set(rows[:20] // 50)) == 20
    assert len(set(rows)) == 400


@pytest.mark.parametrize("seed", range(10))
def test_facility_location_reaches_its_part_of_the_optimum(seed):
    points = np.random.default_rng(seed).normal(size=(12, 3))
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    similarity = np.maximum(unit @ unit.T, 0)
    reached = similarity[:, chosen(FacilityLocation(), points, 4)].max(axis=1).sum()
    best = max(
        similarity[:, list(rows)].max(axis=1).sum() for rows in itertools.combinations(range(12), 4)
    )
    assert (1 - 1 / np.e) * best <= reached <= best + 1e-9


@pytest.mark.parametrize("policy", ["k_center", "herding", "facility_location", "moderate"])
def test_a_memory_map_selects_the_same_in_blocks(policy, tmp_path, monkeypatch):
    embedding = vectors(90, 6).astype("float32")
    np.save(tmp_path / "e.npy", embedding)
    whole = kept(scored(90), 0.3, policy, embedding=embedding)
    monkeypatch.setattr("keras_pruning.selection.greedy._KEPT", 100)
    monkeypatch.setattr("keras_pruning.selection.greedy._BLOCK", 200)
    blocks = kept(scored(90), 0.3, policy, embedding=str(tmp_path / "e.npy"))
    np.testing.assert_array_equal(blocks, whole)


@pytest.mark.parametrize("policy", ["k_center", "herding", "facility_location", "moderate"])
def test_integers_are_vectors_as_well(policy):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 5)).astype("uint8")
    whole = kept(scored(), 0.3, policy, embedding=pixels.astype("float32"))
    np.testing.assert_array_equal(kept(scored(), 0.3, policy, embedding=pixels), whole)


def test_zero_vectors_and_one_example():
    for policy in ("k_center", "herding", "facility_location", "moderate", "message_passing"):
        assert len(kept(scored(6), 0.5, policy, embedding=np.zeros((6, 2)))) == 3
        assert len(kept(scored(1), 1.0, policy, embedding=np.zeros((1, 2)))) == 1
