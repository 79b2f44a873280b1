"""Prediction depth of data with many equal vectors does not depend on the order of the examples."""

import keras
import numpy as np
import pytest
from scipy.stats import hypergeom

import keras_pruning as kp
from keras_pruning.embeddings.neighbors import nearest, vote

K = 31


def binary_attributes(count, seed=0):
    """Returns inputs of three binary attributes, and labels that depend on them by chance."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (count, 3)).astype("float32")
    y = (rng.random(count) < 0.3 + 0.2 * x[:, 0] + 0.1 * x[:, 1]).astype(int)
    return x, y


def orders(labels):
    """Returns two shuffled orders and the one sorted by class."""
    rng = np.random.default_rng(1)
    shuffled = [rng.permutation(len(labels)) for _ in range(2)]
    return {"first": shuffled[0], "second": shuffled[1], "sorted": np.argsort(labels)}


def chance_of_one(x, y):
    """Returns the chance that K random others at the place of an example vote for class 1."""
    chances = np.empty(len(x))
    for row in range(len(x)):
        others = y[(x == x[row]).all(axis=1) & (np.arange(len(x)) != row)]
        assert len(others) > K
        chances[row] = hypergeom(len(others), others.sum(), K).sf(K // 2)
    return chances


@pytest.mark.parametrize("order", ["first", "second", "sorted"])
def test_ties_at_rank_k_are_a_random_draw(order):
    x, y = binary_attributes(600)
    order = orders(y)[order]
    x, y = x[order], y[order]
    rows, distances = nearest(x, x, K, None, np.arange(len(x)))
    assert not distances.any() and not (rows == np.arange(len(x))[:, np.newaxis]).any()
    chances = chance_of_one(x, y)
    # The draws of different examples are independent.
    error = (chances * (1 - chances)).sum() ** 0.5
    assert abs(vote(y[rows]).sum() - chances.sum()) < 4 * error
    assert np.corrcoef(vote(y[rows]), chances)[0, 1] > 0.6


def test_depths_have_one_distribution_in_every_order():
    x, y = binary_attributes(1500)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    # The model knows the law of the labels, up to its steepness.
    model.set_weights([np.float32([[-2, 2], [-1, 1], [0, 0]]), np.float32([1.2, -1.2])])
    depth = kp.scores.PredictionDepth(k=K)
    shares = []
    for order in orders(y).values():
        examples = kp.Examples.from_arrays(x[order], y[order])
        depths = kp.score_checkpoints([model], examples, [depth])["prediction_depth"]
        shares.append(np.bincount(depths.astype(int), minlength=3) / len(x))
    # Several depths occur, in the same shares.
    assert (np.max(shares, axis=0) > 0.05).sum() > 1
    np.testing.assert_allclose(shares[1:], shares[:1] * np.ones((2, 1)), atol=0.04)


def test_another_seed_is_another_draw_of_the_ties():
    x, _ = binary_attributes(400)
    first, again, other = (nearest(x, x, K, seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
