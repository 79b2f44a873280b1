import numpy as np
import pytest
import tensorflow as tf
from sklearn.neighbors import NearestNeighbors

from keras_pruning import InputError
from keras_pruning.backend.tensorflow.neighbor_search import Search
from keras_pruning.embeddings.neighbors import nearest, vote


def vectors(count, dimensions, seed=0, offset=0.0):
    return np.random.default_rng(seed).normal(offset, 1, (count, dimensions)).astype("float32")


def test_by_hand():
    support = np.array([[0.0], [1.0], [3.0], [7.0]], "float32")
    rows, distances = nearest(np.array([[2.9], [0.1]], "float32"), support, k=2)
    np.testing.assert_array_equal(rows, [[2, 1], [0, 1]])
    np.testing.assert_allclose(distances, [[0.1, 1.9], [0.1, 0.9]], 1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("memory_limit", [2**14, 2**18, 2**28])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("size", [300, pytest.param(1301, marks=pytest.mark.slow)])
def test_the_same_as_scikit_learn(metric, memory_limit, offset, size):
    support, queries = vectors(size, 20, 1), vectors(101, 20, 2)
    if metric == "euclidean":
        support, queries = support + np.float32(offset), queries + np.float32(offset)
    reference = NearestNeighbors(n_neighbors=7, algorithm="brute", metric=metric)
    expected = reference.fit(support.astype(float)).kneighbors(queries.astype(float))
    rows, distances = nearest(queries, support, 7, metric=metric, memory_limit=memory_limit)
    np.testing.assert_array_equal(rows, expected[1])
    np.testing.assert_allclose(distances, expected[0], 1e-3)


def test_a_group_may_hold_several_neighbours():
    """All neighbours of each query lie in columns that share a group of values."""
    support = np.full((1000, 4), 100.0, "float32")
    support[::100] = vectors(10, 4)
    for query in range(0, 1000, 100):
        rows, _ = nearest(support[[query]], support, 9, exclude=np.array([query]))
        assert set(rows[0]) == set(range(0, 1000, 100)) - {query}


def test_the_first_products_are_not_rounded_to_ten_bits():
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    seen = []

    class Watched(np.ndarray):
        def __getitem__(self, rows):
            seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
            return np.asarray(self)[rows]

    data = vectors(20, 3).view(Watched)
    nearest(data, data, 3)
    assert seen and not any(seen)
    assert tf.config.experimental.tensor_float_32_execution_enabled() == before


def test_many_equal_vectors_are_compared_in_float64():
    """A saturated softmax: far more equal vectors than candidates, and some a hair apart."""
    data = np.zeros((500, 3), "float32")
    data[:, 0], data[:3, 0] = 1, 1 - np.float32(2**-23) * np.arange(1, 4, dtype="float32")
    data[400:] = vectors(100, 3)
    rows, distances = nearest(data, data, 5, exclude=np.arange(500))
    assert ((rows[3:400] >= 3) & (rows[3:400] < 400)).all()
    np.testing.assert_array_equal(distances[3:400], 0)
    assert (rows[:400] != np.arange(400)[:, np.newaxis]).all()


def test_the_cosine_of_a_vector_of_zeros_is_refused():
    data = vectors(20, 3)
    data[4] = 0
    with pytest.raises(InputError, match="zero as the vector 4. Use.*euclidean"):
        nearest(data, data, 3, metric="cosine")
    with pytest.raises(InputError, match="euclidean.*Received: metric='manhattan'"):
        nearest(data, data, 3, metric="manhattan")


def test_no_example_is_its_own_neighbour_among_duplicates():
    support = np.repeat(vectors(5, 3), 4, axis=0)
    rows, distances = nearest(support, support, 3, exclude=np.arange(20))
    for row, found in enumerate(rows):
        assert row not in found
        assert set(found) == set(range(row // 4 * 4, row // 4 * 4 + 4)) - {row}
    np.testing.assert_array_equal(distances, 0)


def test_near_duplicates_keep_their_order():
    """Far from the origin, ‖a‖² + ‖b‖² − 2ab alone would lose every digit of these distances."""
    steps = np.arange(40, dtype="float32")[::-1] * 1e-3
    support = np.full((40, 64), 3.0, "float32")
    support[:, 0] += steps
    far = np.full((40, 64), -50.0, "float32")
    rows, _ = nearest(support[-1:], np.concatenate([support, far]), 10, exclude=np.array([39]))
    np.testing.assert_array_equal(rows[0], np.arange(38, 28, -1))


def test_one_far_vector_does_not_slow_down_all_queries(monkeypatch):
    searched = []
    search = Search.__call__

    def recorded(self, query_rows, own):
        searched.append((self.dtype, len(query_rows)))
        return search(self, query_rows, own)

    monkeypatch.setattr(Search, "__call__", recorded)
    data = vectors(300, 20)
    data[7] *= 300
    nearest(data, data, 7, exclude=np.arange(300))
    assert searched[0] == (np.float32, 300)
    assert sum(count for _, count in searched[1:]) <= 1


def test_searches_only_the_support_rows():
    data = vectors(50, 4)
    chosen = np.arange(0, 50, 3)
    rows, _ = nearest(data, data, 5, support_rows=chosen, exclude=np.arange(50))
    expected, _ = nearest(data, data[chosen], 6)
    for row, found in enumerate(rows):
        own = [place for place in chosen[expected[row]] if place != row]
        np.testing.assert_array_equal(found, own[:5])


def test_memory_maps_are_searched_like_arrays(tmp_path):
    data = vectors(64, 8)
    np.save(tmp_path / "data.npy", data)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    np.testing.assert_array_equal(nearest(mapped, mapped, 4)[0], nearest(data, data, 4)[0])


def test_refuses_more_neighbours_than_there_are():
    data = vectors(5, 2)
    assert nearest(data, data, 5)[0].shape == (5, 5)
    with pytest.raises(InputError, match="Expected k <= 4. Received: k=5"):
        nearest(data, data, 5, exclude=np.arange(5))


def test_votes_by_hand():
    labels = np.array([[2, 0, 0, 1], [2, 0, 0, 2], [0, 2, 2, 0], [1, 3, 2, 0]])
    # A majority; ties that go to the nearest of the tied, never to the smallest class.
    np.testing.assert_array_equal(vote(labels), [0, 2, 0, 1])


@pytest.mark.parametrize("size", [16, 60, 1000])
@pytest.mark.parametrize("thickness", [1e-6, 1e-5, 1e-4])
def test_neighbours_on_a_thin_shell_are_in_exact_order(size, thickness):
    """Distances that float32 products cannot tell apart, with no more candidates than 16."""
    rng = np.random.default_rng(size)
    directions = rng.normal(size=(size, 200))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    support = (directions * (1 + thickness * rng.random((size, 1)))).astype("float32")
    queries = rng.normal(0, 1e-3 * thickness, (20, 200)).astype("float32")
    exact = ((queries[:, np.newaxis].astype(float) - support) ** 2).sum(axis=2)
    rows, _ = nearest(queries, support, 7)
    np.testing.assert_array_equal(np.take_along_axis(exact, rows, 1), np.sort(exact)[:, :7])


@pytest.mark.parametrize("margin", [15, 25, 35])
def test_a_saturated_softmax_is_searched_to_the_last_digits(margin):
    """Distances within a class are far below the rounding of float64 around the mean."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(600, 10))
    logits[np.arange(600), rng.integers(0, 10, 600)] += margin
    data = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype("float32")
    rows, _ = nearest(data, data, 8, exclude=np.arange(600), memory_limit=2**20)
    exact = ((data[:, np.newaxis].astype(float) - data) ** 2).sum(axis=2)
    exact[np.arange(600), np.arange(600)] = np.inf
    expected = np.argsort(exact, axis=1, kind="stable")[:, :8]
    found, wanted = (np.take_along_axis(exact, each, 1) for each in (rows, expected))
    np.testing.assert_allclose(found, wanted, 1e-12)


@pytest.mark.parametrize(
    ("data", "metric"),
    [
        (1e6 + 0.01 * np.random.default_rng(0).normal(size=(300, 20)), "euclidean"),
        (vectors(300, 20) * np.float32(1e20), "euclidean"),
        (1 + 1e-5 * np.random.default_rng(0).normal(size=(300, 20)), "cosine"),
        ((1 + 1e-5 * vectors(300, 20)).astype("float32"), "cosine"),
    ],
    ids=["float64 far off", "beyond the squares of float32", "nearly parallel", "in float32"],
)
def test_neighbours_of_awkward_numbers(data, metric):
    rows, distances = nearest(data, data, 7, exclude=np.arange(300), metric=metric)
    exact = data.astype(np.float64)
    if metric == "cosine":
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    squares = ((exact[:, np.newaxis] - exact) ** 2).sum(axis=2)
    squares[np.arange(300), np.arange(300)] = np.inf
    expected = np.argsort(squares, axis=1)[:, :7]
    np.testing.assert_array_equal(rows, expected)
    found = np.take_along_axis(squares, expected, 1)
    found = found / 2 if metric == "cosine" else np.sqrt(found)
    np.testing.assert_allclose(distances, found, 1e-3)
