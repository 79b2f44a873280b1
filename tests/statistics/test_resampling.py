"""Tests over random splits, and their adjustment, against numbers by hand."""

import numpy as np
import pytest
from scipy import stats

from keras_pruning.statistics.resampling import holm, split_t_test


def test_holm_by_hand():
    """0.01 · 3, 0.03 · 2, and 0.04 · 1 raised to the one before."""
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1, 1])
    np.testing.assert_allclose(holm([0.2]), [0.2])


def test_without_overlap_it_is_the_plain_t_test():
    values = np.random.default_rng(0).normal(0.3, 1, 9)
    mean, half_width, p = split_t_test(values, 0)
    plain = stats.ttest_1samp(values, 0, alternative="greater")
    interval = stats.ttest_1samp(values, 0).confidence_interval()
    assert p == pytest.approx(plain.pvalue)
    assert (mean - half_width, mean + half_width) == pytest.approx((interval.low, interval.high))


def test_the_overlap_of_splits_by_hand():
    """Mean 2, variance 1, standard error sqrt(1/3 + 1/4)."""
    mean, half_width, p = split_t_test([1, 2, 3], 0.25)
    error = (1 / 3 + 1 / 4) ** 0.5
    assert mean == 2
    assert half_width == pytest.approx(4.302653 * error)
    assert p == pytest.approx(stats.t.sf(2 / error, 2))


@pytest.mark.parametrize("differences", [[0.5], [0.5, 0.5, 0.5], [0.0, 0.0]])
def test_differences_that_do_not_vary_show_nothing(differences):
    assert split_t_test(differences, 0.25) == (differences[0], None, 1.0)


def test_rounding_is_no_difference_between_splits():
    """0.9 - 0.8 and 0.8 - 0.7 differ in the last bit."""
    for differences in ([0.9 - 0.8, 0.8 - 0.7], np.float32([0.9, 0.8]) - np.float32([0.8, 0.7])):
        mean, half_width, p = split_t_test(differences, 0.25)
        assert (round(mean, 6), half_width, p) == (0.1, None, 1.0)
