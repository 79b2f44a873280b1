"""The walks of the neighbour search: each finds what float64 finds in all pairs."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pruning import InputError
from keras_pruning.backend.tensorflow import candidate_tiles, candidate_walks
from keras_pruning.backend.tensorflow.neighbor_search import Search
from keras_pruning.embeddings.neighbors import nearest


def vectors(count, dimensions=6, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (count, dimensions)).astype("float32")


def exact(queries, support, k, exclude=None):
    """Returns the rows of the k nearest in float64, without ties."""
    squares = ((queries[:, np.newaxis].astype(float) - support) ** 2).sum(axis=2)
    if exclude is not None:
        squares[np.arange(len(queries)), exclude] = np.inf
    return np.argsort(squares, axis=1)[:, :k]


def saturated(count, margin, classes=10, seed=0):
    """Returns softmax outputs whose distances within a class are far below 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), rng.integers(0, classes, count)] += margin
    return (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype("float32")


def calls_of(monkeypatch, module, name):
    """Returns a list that gets an item for each call of a function."""
    calls, function = [], getattr(module, name)

    def counted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(module, name, counted)
    return calls


def on_device(monkeypatch, device):
    """Lets the search take the walk of a device."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind] * (kind == device))


@pytest.mark.parametrize("tile", [7, 64, 1000])
@pytest.mark.parametrize("k", [1, 9, 60])
@pytest.mark.parametrize("chunk", [1, 3, 99])
def test_a_self_join_finds_both_ways(monkeypatch, tile, k, chunk):
    data, own = vectors(301), np.arange(301)
    joins = calls_of(monkeypatch, candidate_walks, "_self_join")
    build = Search.__init__

    def small(self, *arguments):
        build(self, *arguments)
        self.tile, self.chunk = tile, tile * chunk

    monkeypatch.setattr(Search, "__init__", small)
    rows, _ = nearest(data, data, k, exclude=own)
    assert joins
    np.testing.assert_array_equal(rows, exact(data, data, k, own))
    # Every other walk finds the same.
    joins.clear()
    np.testing.assert_array_equal(nearest(data, data.copy(), k, exclude=own)[0], rows)
    assert not joins


@pytest.mark.parametrize("queries", [1, 2, 5, 41])
@pytest.mark.parametrize("support", [9, 40, 3000])
@pytest.mark.parametrize("memory_limit", [2**15, 2**29])
def test_few_queries_have_wide_tiles(queries, support, memory_limit):
    queries, support = vectors(queries), vectors(support, seed=1)
    found = [nearest(queries, support, 8, memory_limit=memory_limit) for _ in range(2)]
    np.testing.assert_array_equal(found[0][0], exact(queries, support, 8))
    np.testing.assert_array_equal(found[0], found[1])


def test_an_error_in_a_thread_is_raised(monkeypatch):
    def fails(*arguments):
        raise MemoryError

    monkeypatch.setattr(candidate_tiles.Tile, "offer", fails)
    with pytest.raises(MemoryError):
        nearest(vectors(20), vectors(300, seed=1), 3)


@pytest.mark.parametrize("order", ["far first", "near first"])
def test_data_in_order_of_distance(order):
    """In the order "far first", each tile is nearer to a query than all before it."""
    support = np.linspace(9, 1, 5000, dtype="float32")[:, np.newaxis] ** 2 * np.float32([[1, 0.5]])
    support = support if order == "far first" else support[::-1].copy()
    queries = vectors(40, 2) / 10
    rows, _ = nearest(queries, support, 7, memory_limit=2**17)
    np.testing.assert_array_equal(rows, exact(queries, support, 7))


@pytest.mark.parametrize("copies", [0, 1500])
def test_few_products_leave_their_tile(monkeypatch, copies):
    """Hundreds of equal vectors are no candidates all at once."""
    offered, merge = [], candidate_tiles.Tile._merge

    def counted(self):
        offered.append(self._offered)
        merge(self)

    monkeypatch.setattr(candidate_tiles.Tile, "_merge", counted)
    data = vectors(3000, 8)
    data[:copies] = 1
    nearest(data, data, 5)
    # With 14 candidates, and as many searches as the equal vectors need.
    assert 14 * len(data) < sum(offered) < 14 * 10 * len(data)


@pytest.mark.parametrize("device", ["CPU", "GPU"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_number_of_the_support_that_is_not_finite(monkeypatch, device, dtype, bad):
    """It is found wherever it stands, also if the mean does not show it."""
    if bad == 1e300 and dtype == "float32":
        return
    on_device(monkeypatch, device)
    support = np.zeros((2**16 + 3000, 2), dtype)
    support[:] = vectors(len(support), 2)
    support[1500, 1] = bad
    with pytest.raises(InputError, match="Distances are not finite"):
        nearest(vectors(5, 2), support, 3)


def test_the_walk_of_an_accelerator_finds_the_same(monkeypatch):
    data, own = vectors(3000), np.arange(3000)
    expected = nearest(data, data, 9, exclude=own)
    used = calls_of(monkeypatch, candidate_walks, "on_accelerator")
    on_device(monkeypatch, "GPU")
    rows, distances = nearest(data, data, 9, exclude=own)
    assert used
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(distances, expected[1], 1e-3)


@pytest.mark.parametrize("margin", [15, 20, 35])
def test_a_saturated_softmax_is_not_compared_with_all(monkeypatch, margin):
    data = saturated(3000, margin)
    data[::50] = data[0]
    pairs = []
    careful = Search.careful

    def counted(self, query_rows, rows):
        pairs.append(len(rows))
        return careful(self, query_rows, rows)

    monkeypatch.setattr(Search, "careful", counted)
    rows, distances = nearest(data, data, 8, exclude=np.arange(3000))
    # Some candidates of each query, not its whole class.
    assert sum(pairs) < 60 * len(data)
    squares = ((data[:, np.newaxis].astype(float) - data) ** 2).sum(axis=2)
    squares[np.arange(3000), np.arange(3000)] = np.inf
    wanted = np.sort(squares, axis=1)[:, :8]
    np.testing.assert_allclose(np.take_along_axis(squares, rows, 1), wanted, 1e-12)
    np.testing.assert_allclose(distances, np.sqrt(wanted), 1e-3)


def test_two_clusters_whose_queries_are_all_in_doubt():
    """Each cluster is searched around a centre of its own, its queries in any order."""
    rng = np.random.default_rng(3)
    places = rng.permutation(200)
    data = np.eye(14)[rng.integers(0, 14, 200)] * np.where(places < 100, 1, 1.02)[:, np.newaxis]
    data += rng.normal(0, 1e-4 / 14, data.shape)
    data = np.hstack([data, 1e5 * (places < 100)[:, np.newaxis]])
    rows, _ = nearest(data, data, 5, exclude=np.arange(200))
    np.testing.assert_array_equal(rows, exact(data, data, 5, np.arange(200)))


@pytest.mark.parametrize("value", [1 / 3, 0.4242])
def test_squared_lengths_of_tens_of_thousands_of_equal_squares(value):
    """Every neighbour is ranked by them."""
    wide = np.random.default_rng(0).choice(np.float32([-value, value]), (4, 49_152))
    table = candidate_tiles.with_halves(wide)
    expected = (wide.astype(float) ** 2).sum(axis=1) / -2
    np.testing.assert_allclose(table[:, -1], expected, 2 * np.finfo("float32").eps)


@pytest.mark.parametrize("count", [15, 17, 40])
def test_small_clusters_do_not_end_the_search_in_large_ones(monkeypatch, count):
    rng = np.random.default_rng(0)
    centers = np.vstack([np.zeros(8), rng.normal(0, 1, (count, 8))])
    sizes, spreads = [2000, *[40] * count], [1e-9, *[1e-8] * count]
    data = np.repeat(centers, sizes, axis=0)
    data += rng.normal(0, 1, data.shape) * np.repeat(spreads, sizes)[:, np.newaxis]
    slow = []
    by_differences = Search.by_differences

    def counted(self, query_rows, excluded, rows):
        slow.append(len(query_rows))
        return by_differences(self, query_rows, excluded, rows)

    monkeypatch.setattr(Search, "by_differences", counted)
    nearest(data, data, 5, exclude=np.arange(len(data)))
    assert sum(slow) <= 40 * count


@pytest.mark.parametrize("memory_limit", [2**19, 2**22, 2**29])
def test_saturated_ties_do_not_depend_on_the_memory(memory_limit):
    """Copies beside nearly equal vectors: ties at random, the same for every size of the tiles."""
    data = np.repeat(saturated(150, 25, 3), 6, axis=0)
    data = data[np.random.default_rng(1).permutation(len(data))]
    own = np.arange(len(data))
    expected = nearest(data, data, 4, exclude=own, memory_limit=2**24)[0]
    rows = nearest(data, data, 4, exclude=own, memory_limit=memory_limit)[0]
    np.testing.assert_array_equal(rows, expected)
    # Only some of the five copies of a vector are neighbours, and each is one of some query.
    counts = np.bincount(rows.ravel(), minlength=len(data))
    assert counts.min() > 0 and counts.max() < 20
