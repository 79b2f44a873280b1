"""The verdict against SciPy, by hand, and on simulated runs of which the truth is known."""

import numpy as np
import pytest
from scipy import stats

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.statistics import verdict as module
from keras_pruning.statistics.power import runs_needed
from keras_pruning.statistics.welch import welch

RANDOM = [0.80, 0.81, 0.79, 0.83]


def runs(mean, spread=0.01, count=8, seed=0):
    """Accuracies with exactly this mean and this standard deviation."""
    values = np.random.default_rng(seed).normal(size=count)
    return mean + spread * (values - values.mean()) / values.std(ddof=1)


@pytest.mark.parametrize("seed", range(5))
def test_welch_against_scipy(seed):
    rng = np.random.default_rng(seed)
    values, others = rng.normal(0.8, 0.01, 3 + seed), rng.normal(0.81, 0.03, 7)
    expected = stats.ttest_ind(values, others, equal_var=False)
    found = welch(values, others)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(expected.confidence_interval())
    assert found.difference == pytest.approx(values.mean() - others.mean())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.9], [0.9, 0.9]], ids=["one run", "equal runs"])
def test_few_runs_without_spread_show_nothing(values):
    found = kp.verdict({"random": [0.8] * len(values), "a": values, "full": [0.9]})["a"]
    assert (found.verdict, found.interval) == ("not shown", None)
    assert found.p_adjusted == pytest.approx(1 if len(values) == 1 else 1 / 3)
    assert (found.seeds_needed, found.keeps_full_accuracy) == (None, None)
    assert found.difference == pytest.approx(0.1)


def test_without_spread_the_permutation_test_is_exact():
    """Of the 12,870 ways to divide 16 runs into two halves, two are as extreme."""
    found = kp.verdict({"random": [0.5] * 8, "a": [0.9] * 8, "b": [0.5] * 8})
    assert (found["a"].verdict, found["a"].interval) == ("better", None)
    assert found["a"].p_adjusted == pytest.approx(2 * 2 / 12870)
    assert found["b"].verdict == "not shown"
    sides = [np.full(8, 0.5), np.full(8, 0.9)]
    expected = stats.permutation_test(
        sides,
        lambda a, b: np.mean(a) - np.mean(b),
        n_resamples=np.inf,
        permutation_type="independent",
    )
    assert welch(*sides).p == pytest.approx(expected.pvalue)


def test_rounding_is_no_difference():
    accuracies = np.float32([[0.9] * 4, [0.90000012] * 4])
    found = kp.verdict({"random": accuracies[0], "a": [0.9, *accuracies[1][:3]]})["a"]
    assert (found.verdict, found.p_adjusted) == ("not shown", 1)


def test_one_side_without_spread_is_tested():
    found = kp.verdict({"random": RANDOM, "a": [0.9, 0.9, 0.9]})["a"]
    assert found.verdict == "better"


def test_holm_over_all_methods():
    accuracies = {"random": runs(0.8), "a": runs(0.811), "b": runs(0.812), "c": runs(0.8)}
    found = kp.verdict(accuracies)
    p = {name: welch(accuracies[name], accuracies["random"]).p for name in "abc"}
    assert p["b"] < p["a"] < p["c"] == 1
    assert found["b"].p_adjusted == pytest.approx(3 * p["b"])
    assert found["a"].p_adjusted == pytest.approx(max(2 * p["a"], 3 * p["b"]))
    assert found["c"].p_adjusted == 1
    assert {found[name].comparisons for name in accuracies} == {3}
    assert found["random"].verdict == "baseline"


def test_worse_is_worse_and_each_method_has_its_own_baseline():
    accuracies = {"random": runs(0.8), "random-balanced": runs(0.9), "a": runs(0.85)}
    assert kp.verdict(accuracies)["a"].verdict == "better"
    found = kp.verdict(accuracies, baselines={"a": "random-balanced"})
    assert found["a"].verdict == "worse"
    assert found["a"].difference == pytest.approx(-0.05)
    assert found["random-balanced"].verdict == "better"


@pytest.mark.parametrize(
    ("loss", "spread", "keeps"),
    [(0.0, 0.001, True), (0.0, 0.02, False), (0.004, 0.0005, True), (0.006, 0.0005, False)],
)
def test_keeping_full_accuracy_is_non_inferiority(loss, spread, keeps):
    """Neither a small loss with a wide interval nor a large one with a narrow interval keeps it."""
    accuracies = {"random": RANDOM, "a": runs(0.9 - loss, spread), "full": runs(0.9, spread)}
    found = kp.verdict(accuracies)
    assert found["a"].keeps_full_accuracy is keeps
    assert found["a"].retention.difference == pytest.approx(-loss)
    assert found["random"].keeps_full_accuracy is False
    assert "full" not in found
    assert kp.verdict(accuracies, tolerance=0.2)["a"].keeps_full_accuracy


def test_without_full_data_nobody_knows():
    assert kp.verdict({"random": RANDOM, "a": RANDOM})["a"].keeps_full_accuracy is None


@pytest.mark.parametrize(("difference", "needed"), [(1, 17), (0.5, 64), (2, 6)])
def test_seeds_needed_are_those_of_the_tables(difference, needed):
    """Two groups of one size at 5 % and power 0.8: 64, 17 and 6 (Cohen 1988, G*Power)."""
    assert runs_needed(difference, 1, 1, 1, 0.05) == needed


def test_seeds_needed_by_simulation():
    deviations, ratio, level = (0.01, 0.02), 2, 0.05 / 9
    needed = runs_needed(0.02, *deviations, ratio, level)
    rng = np.random.default_rng(0)

    def power(count):
        values = rng.normal(0.02, deviations[0], (2000, count))
        others = rng.normal(0, deviations[1], (2000, ratio * count))
        p = stats.ttest_ind(values, others, axis=1, equal_var=False).pvalue
        return (p < level).mean()

    assert power(needed) > 0.77
    assert power(needed - 1) < 0.83
    assert power(needed // 2) < 0.5


def test_seeds_needed_of_a_verdict():
    accuracies = {"random": runs(0.8, count=16), "a": runs(0.805), "b": runs(0.9)}
    found = kp.verdict(accuracies)
    assert found["a"].verdict == "not shown"
    assert found["a"].seeds_needed == runs_needed(0.005, 0.01, 0.01, 2, 0.05 / 2)
    assert found["b"].seeds_needed is None
    assert kp.verdict({"random": runs(0.8), "a": runs(0.8 + 1e-7)})["a"].seeds_needed is None


def simulated(shift, spread, sweeps, seed=0):
    """Verdicts of nine methods in each of many sweeps. The first is better by some deviations."""
    rng = np.random.default_rng(seed)
    for _ in range(sweeps):
        accuracies = {"random": rng.normal(0.5, 0.01, 16)}
        for number, factor in enumerate(spread):
            mean = 0.5 + 0.01 * shift * (number == 0)
            accuracies[f"method-{number}"] = rng.normal(mean, 0.01 * factor, 8)
        yield [found.verdict for found in kp.verdict(accuracies).values()]


@pytest.mark.parametrize("spread", [[1] * 9, [1, 3] * 4 + [1], [3] * 9], ids=str)
def test_equal_methods_seldom_get_a_verdict(spread, monkeypatch):
    """More in benchmarks/verdicts.py. 1,000 sweeps show 6 % as 4.5 to 7.5 %."""
    monkeypatch.setattr(module, "runs_needed", lambda *_: None)
    found = [set(found) != {"baseline", "not shown"} for found in simulated(0, spread, 1000)]
    assert 0.01 < np.mean(found) < 0.075


def test_a_difference_of_two_deviations_is_found(monkeypatch):
    monkeypatch.setattr(module, "runs_needed", lambda *_: None)
    found = [found[1] == "better" for found in simulated(2, [1] * 9, 500)]
    assert 0.82 < np.mean(found) < 0.92


@pytest.mark.parametrize(
    ("accuracies", "message"),
    [
        ([0.9, 0.8], "Expected a dictionary from names of methods.*Received: list"),
        ({"random": 0.9}, "`accuracies` of 'random'. Expected a list of numbers"),
        ({"random": []}, "`accuracies` of 'random'. Expected a list of numbers"),
        ({"random": [90.0]}, r"Expected a list of numbers in \[0, 1\]"),
        ({"random": [float("nan")]}, r"Expected a list of numbers in \[0, 1\]"),
        ({"random": ["0.9", "0.8"]}, r"Expected a list of numbers in \[0, 1\]"),
        ({"random": [True, False]}, r"Expected a list of numbers in \[0, 1\]"),
        ({"random": ["a"]}, r"Expected a list of numbers in \[0, 1\]"),
        (
            {"a": [0.9]},
            "Invalid `baseline`. Expected the name of a method.*'a'. Received: 'random'. Add",
        ),
    ],
)
def test_wrong_accuracies(accuracies, message):
    with pytest.raises(InputError, match=message):
        kp.verdict(accuracies)
