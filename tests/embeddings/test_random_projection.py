import numpy as np
import pytest
import tensorflow as tf

from keras_pruning.embeddings.random_projection import random_projection

WIDTHS = [(12, 4), (13, 4), (15, 4), (9, 8), (100, 7), (5, 1)]


def projected(vectors, dimensions, seed=0):
    return random_projection(tf.constant(vectors, tf.float32), dimensions, seed).numpy()


def gaussian(count, width, seed=0):
    return np.random.default_rng(seed).normal(size=(count, width)).astype("float32")


@pytest.mark.parametrize(("width", "dimensions"), WIDTHS)
def test_each_coordinate_gets_a_sign_and_one_of_equal_groups(width, dimensions):
    matrix = projected(np.eye(width), dimensions)
    assert matrix.shape == (width, dimensions)
    np.testing.assert_array_equal(np.abs(matrix).sum(axis=1), 1)
    np.testing.assert_array_equal(np.unique(np.abs(matrix)), [0, 1] if dimensions > 1 else [1])
    sizes = np.abs(matrix).sum(axis=0)
    assert sizes.sum() == width
    assert set(sizes) <= {width // dimensions, -(-width // dimensions)}


def test_signs_and_groups_are_drawn():
    """Each sign, and each group for a coordinate, as often as the others, over many seeds."""
    matrices = np.stack([projected(np.eye(6), 3, seed) for seed in range(600)])
    chance = 4 * np.sqrt(600 / 4)  # four standard deviations of a fair coin
    assert (np.abs((matrices.sum(axis=2) == 1).sum(axis=0) - 300) < chance).all()
    assert (np.abs(np.abs(matrices).sum(axis=0) - 200) < chance).all()
    together = (matrices[:, 0] * matrices[:, 1]).any(axis=1)
    assert abs(together.sum() - 600 / 5) < chance  # one of the five others in a group of two
    first, second = matrices[:, 0].sum(axis=1), matrices[:, 1].sum(axis=1)
    assert abs((first == second).sum() - 300) < chance


@pytest.mark.parametrize(
    ("width", "dimensions"), [pytest.param(43, 8, marks=pytest.mark.slow), (64, 2)]
)
def test_squared_distances_are_unbiased_with_bounded_variance(width, dimensions):
    matrices = np.stack([projected(np.eye(width), dimensions, seed) for seed in range(600)])
    bound = 2 / dimensions
    for used in (width, 3, 1):  # coordinates in which two examples differ
        difference = gaussian(1, width, seed=7)[0].astype(float)
        difference[used:] = 0
        square = (difference**2).sum()
        found = ((difference @ matrices) ** 2).sum(axis=1) / square
        assert abs(found.mean() - 1) < 4 * np.sqrt(bound / len(found))
        # Two coordinates meet in a group with this probability.
        sizes = np.bincount(np.arange(width) % dimensions)
        meet = (sizes * (sizes - 1)).sum() / (width * (width - 1))
        expected = 2 * meet * (1 - (difference**4).sum() / square**2)
        assert expected <= bound
        np.testing.assert_allclose(found.var(), expected, rtol=0.35, atol=1e-9)


def test_the_neighbours_of_wide_vectors_stay():
    """Clusters that lie far apart do not mix."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 5000)) * 0.5
    vectors = np.repeat(centres, 20, axis=0) + rng.normal(size=(200, 5000))
    reduced = projected(vectors, 256)
    squares = ((reduced[:, None] - reduced[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    nearest = squares.argsort(axis=1)[:, :5]
    assert (nearest // 20 == np.arange(200)[:, None] // 20).mean() > 0.95


def test_the_same_seed_gives_the_same_bits_in_a_graph():
    vectors = gaussian(9, 50)
    expected = projected(vectors, 6, seed=3)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(projected(vectors, 6, seed=3), expected)
    graph = tf.function(lambda x: random_projection(x, 6, 3), autograph=False)
    graph = graph.get_concrete_function(tf.TensorSpec((None, 50)))
    np.testing.assert_array_equal(graph(tf.constant(vectors)), expected)
    for other in (0, 4):
        matrices = [projected(np.eye(50), 6, seed) for seed in (3, other)]
        assert 0.5 < (matrices[0] != matrices[1]).any(axis=1).mean() < 1
        assert (np.abs(matrices[0]) != np.abs(matrices[1])).any()


def test_it_is_linear():
    rng = np.random.default_rng(0)
    x, y = rng.integers(-9, 9, (2, 4, 30))
    expected = 3 * projected(x, 7) - 2 * projected(y, 7)
    np.testing.assert_array_equal(projected(3 * x - 2 * y, 7), expected)
    np.testing.assert_array_equal(projected(x @ np.eye(30), 7), x @ projected(np.eye(30), 7))


def test_an_example_does_not_depend_on_its_batch():
    vectors = gaussian(33, 101)
    together = projected(vectors, 10)
    for size in (1, 7, 32):
        parts = [projected(vectors[start : start + size], 10) for start in range(0, 33, size)]
        np.testing.assert_allclose(np.concatenate(parts), together, rtol=1e-5, atol=1e-5)
