import numpy as np
import pytest
from scipy import stats

from keras_pruning import InputError
from keras_pruning.statistics.power_laws import power_law

SIZES = np.array([1000, 2000, 4000, 8000, 16000])


def test_an_exact_power_law_comes_back():
    found = power_law(SIZES, 3 * SIZES**-0.4)
    assert (found.slope, found.factor) == pytest.approx((-0.4, 3))
    assert found.half_width == pytest.approx(0, abs=1e-9)
    assert found([500.0]) == pytest.approx(3 * 500**-0.4)


def test_slope_and_interval_are_those_of_scipy():
    errors = SIZES**-0.3 * np.exp(np.random.default_rng(0).normal(0, 0.1, len(SIZES)))
    expected = stats.linregress(np.log(SIZES), np.log(errors))
    found = power_law(SIZES, errors)
    assert found.slope == pytest.approx(expected.slope)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 3) * expected.stderr)


def test_the_interval_covers_the_true_slope():
    rng, inside = np.random.default_rng(0), []
    for _ in range(1000):
        found = power_law(SIZES, SIZES**-0.3 * np.exp(rng.normal(0, 0.05, len(SIZES))))
        inside.append(abs(found.slope + 0.3) <= found.half_width)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_fewer_than_four_sizes_have_no_slope():
    assert power_law(SIZES[:3], SIZES[:3] ** -0.3) is None
    assert power_law([1000] * 6, np.linspace(0.1, 0.2, 6)) is None
    errors = [0.3, 0.2, 0.1, 0.05, 0.0]  # an error of zero has no logarithm
    assert power_law(SIZES, errors) is not None
    assert power_law(SIZES[1:], errors[1:]) is None


def test_each_size_needs_an_error():
    with pytest.raises(InputError, match="an error for each number of examples"):
        power_law(SIZES, [0.1])
