import numpy as np
import pytest

from keras_pruning.statistics.resampling import holm
from keras_pruning.statistics.several_baselines import compared_with_each
from keras_pruning.statistics.welch import welch

SPREAD = np.array([-0.003, -0.001, 0.001, 0.003])
WEAK, STRONG = 0.80 + SPREAD, 0.85 + SPREAD
BASELINES = {"method": ["rs2", "shortened"], "rs2": ["shortened"]}


def found(accuracies, rs2=WEAK, shortened=STRONG):
    values = {"rs2": rs2, "shortened": shortened, "method": np.asarray(accuracies)}
    return compared_with_each(values, BASELINES)


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(0.9, "better"), (0.85, "not shown"), (0.83, "worse"), (0.70, "worse")],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_better_than_both_or_worse_than_either(mean, expected, swapped):
    sides = (STRONG, WEAK) if swapped else (WEAK, STRONG)
    verdict, against = found(mean + SPREAD, *sides)["method"]
    assert verdict.verdict == expected
    assert against == ("rs2" if swapped else "shortened")
    assert verdict.difference == pytest.approx(mean - 0.85)


def test_all_comparisons_are_adjusted_together():
    method = 0.852 + 2 * SPREAD
    verdict, _ = found(method)["method"]
    tests = [welch(method, WEAK), welch(method, STRONG), welch(WEAK, STRONG)]
    adjusted = holm([test.p for test in tests])
    assert verdict.comparisons == 3
    # Against the weak one it is shown, so that the largest is that against the strong one
    assert verdict.p_adjusted == pytest.approx(adjusted[1])
    assert adjusted[0] < 0.05 < adjusted[1]
    assert verdict.interval == pytest.approx(tests[1].interval)
    assert verdict.seeds_needed > 4


def test_a_loss_has_the_p_value_that_shows_it():
    method = 0.798 + 3 * SPREAD
    verdict, _ = found(method)["method"]
    tests = [welch(method, WEAK), welch(method, STRONG), welch(WEAK, STRONG)]
    adjusted = holm([test.p for test in tests])
    assert adjusted[1] < 0.05 < adjusted[0]
    assert (verdict.verdict, verdict.seeds_needed) == ("worse", None)
    assert verdict.p_adjusted == pytest.approx(adjusted[1])


def test_a_baseline_is_compared_with_those_that_it_has():
    verdicts = found(WEAK)
    assert (verdicts["rs2"][0].verdict, verdicts["rs2"][1]) == ("worse", "shortened")
    assert (verdicts["shortened"][0].verdict, verdicts["shortened"][1]) == ("baseline", None)
