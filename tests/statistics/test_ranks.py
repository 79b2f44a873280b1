"""Ranks, against those of SciPy."""

import numpy as np
import pytest
from scipy import stats

from keras_pruning.statistics.ranks import mean_ranks, rank_correlation, rank_correlations

ODD = np.float32([0, -0.0, 1, -1, np.inf, -np.inf, 1e-45, -1e-45, 3.4e38, -3.4e38, 2.5])


def test_ranks_by_hand():
    assert mean_ranks(np.float32([3, -1, 3, 0, -0.0])).tolist() == [4.5, 1, 4.5, 2.5, 2.5]


@pytest.mark.parametrize("seed", range(40))
def test_ranks_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(0, 60))
    bits = rng.integers(2**32, size=size, dtype=np.uint32).view(np.float32)
    for values in (bits, rng.choice(ODD, size), rng.random(size, np.float32)):
        np.testing.assert_array_equal(mean_ranks(values), stats.rankdata(values))


def test_float32_is_ranked_without_scipy(monkeypatch):
    values = np.random.default_rng(0).random(100, np.float32)
    expected = stats.rankdata(values)
    monkeypatch.setattr(stats, "rankdata", None)
    np.testing.assert_array_equal(mean_ranks(values), expected)


@pytest.mark.parametrize("values", [np.float64([2, 1, 2]), np.array([3, 1, 2]), ODD[:0]])
def test_other_values_are_ranked_too(values):
    np.testing.assert_array_equal(mean_ranks(values), stats.rankdata(values))


def test_nan_is_no_rank():
    assert np.isnan(mean_ranks(np.float32([1, np.nan]))).all()


def test_correlations_are_those_of_ranks_of_scipy():
    values = np.random.default_rng(0).integers(0, 30, (4, 200)).astype(np.float32)
    expected = np.corrcoef(stats.rankdata(values, axis=1))
    np.testing.assert_array_equal(rank_correlations(values), expected)
    assert rank_correlation(values[0], values[1]) == expected[0, 1]
    assert rank_correlation(values[0], np.ones(200)) is None
