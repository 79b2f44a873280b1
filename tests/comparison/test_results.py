import dataclasses

import numpy as np
import pytest
from scipy import stats
from support.fake_runs import EL2N, RANDOM, write_run

from keras_pruning import InputError
from keras_pruning.comparison.classes import compare_classes
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.selection.methods import fraction_name, method_name
from keras_pruning.statistics import intervals

VOG = {"by": "vog", "policy": "easiest", "quota": "balanced"}


def write(folder, accuracies, **where):
    for seed, accuracy in enumerate(accuracies):
        write_run(folder, accuracy, seed=seed, **where)


def rows_of(folder):
    rows = compare(find_runs(folder))
    return {(row.data_fraction, row.keep_fraction, row.method): row for row in rows}


def test_names():
    assert method_name(None) == "full"
    assert method_name(RANDOM) == "random"
    assert method_name(EL2N) == "el2n-hardest"
    assert method_name(VOG) == "vog-easiest-balanced"
    assert [fraction_name(value) for value in (1.0, 0.5, 0.25, 0.125)] == [
        "1.00",
        "0.50",
        "0.25",
        "0.125",
    ]


def test_a_mean_and_its_interval_by_hand(tmp_path):
    write(tmp_path, [0.90, 0.92, 0.97])
    row = rows_of(tmp_path)[1.0, 1.0, "full"]
    assert row.runs == 3
    assert row.accuracy == pytest.approx(0.93)
    # Deviations -0.03, -0.01, 0.04: variance 0.0026 / 2; the table of t for two degrees of
    # freedom says 4.303.
    assert row.half_width == pytest.approx(4.303 * (0.0013 / 3) ** 0.5, rel=1e-3)
    assert row.seconds == pytest.approx(3.0)
    assert row.examples_kept == 1000
    assert row.lowest_class_accuracy == pytest.approx(0.92)


def test_one_run_has_no_interval(tmp_path):
    write(tmp_path, [0.9])
    write(tmp_path, [0.8], method=RANDOM, keep_fraction=0.5)
    write(tmp_path, [0.85], method=EL2N, keep_fraction=0.5)
    row = rows_of(tmp_path)[1.0, 0.5, "el2n-hardest"]
    assert (row.half_width, row.difference_half_width, row.verdict) == (None, None, "not shown")
    assert row.difference == pytest.approx(0.05)
    assert intervals.half_width(np.array([0.5])) is None


def test_the_difference_to_random_is_welchs(tmp_path):
    random, el2n = np.array([0.80, 0.81, 0.79, 0.83]), np.array([0.84, 0.90, 0.87])
    write(tmp_path, random, method=RANDOM, keep_fraction=0.5)
    write(tmp_path, el2n, method=EL2N, keep_fraction=0.5)
    row = rows_of(tmp_path)[1.0, 0.5, "el2n-hardest"]
    assert row.difference == pytest.approx(0.87 - 0.8075)
    # Welch and Satterthwaite, from the formulas.
    parts = np.array([values.var(ddof=1) / len(values) for values in (el2n, random)])
    freedom = parts.sum() ** 2 / (parts**2 / [len(el2n) - 1, len(random) - 1]).sum()
    expected = stats.t.ppf(0.975, freedom) * parts.sum() ** 0.5
    assert row.difference_half_width == pytest.approx(expected)


def test_the_full_data_and_random_have_no_difference(tmp_path):
    write(tmp_path, [0.9, 0.91])
    write(tmp_path, [0.8, 0.82], method=RANDOM, keep_fraction=0.5)
    for row in rows_of(tmp_path).values():
        assert (row.difference, row.difference_half_width, row.verdict) == (None, None, "")


def test_random_at_another_fraction_is_no_baseline(tmp_path):
    write(tmp_path, [0.8, 0.82], method=RANDOM, keep_fraction=0.5)
    write(tmp_path, [0.8, 0.82], method=EL2N, keep_fraction=0.4)
    write(tmp_path, [0.8, 0.82], method=EL2N, keep_fraction=0.5, fraction=0.5)
    rows = rows_of(tmp_path)
    assert rows[1.0, 0.4, "el2n-hardest"].difference is None
    assert rows[0.5, 0.5, "el2n-hardest"].difference is None


@pytest.mark.filterwarnings("error")
def test_runs_that_all_agree_allow_no_verdict(tmp_path):
    write(tmp_path, [0.8, 0.8], method=RANDOM, keep_fraction=0.5)
    write(tmp_path, [0.9, 0.9], method=EL2N, keep_fraction=0.5)
    row = rows_of(tmp_path)[1.0, 0.5, "el2n-hardest"]
    assert (row.half_width, row.difference_half_width) == (0.0, None)
    assert row.verdict == "not shown"  # that they agree does not say how far others would be off


def test_verdicts_are_adjusted_for_the_comparisons_of_a_fraction(tmp_path):
    """A p-value of 0.018 is enough for one comparison, and not for six."""
    rng = np.random.default_rng(0)
    spread = rng.normal(0, 0.01, 5)
    write(tmp_path, 0.8 + spread, method=RANDOM, keep_fraction=0.5)
    write(tmp_path, 0.808 + spread, method=EL2N, keep_fraction=0.5)
    alone = rows_of(tmp_path)[1.0, 0.5, "el2n-hardest"]
    assert (alone.verdict, alone.outcome.comparisons) == ("better", 1)
    for score in "abcde":
        write(tmp_path, 0.8 + spread, method={**EL2N, "by": score}, keep_fraction=0.5)
        write(tmp_path, 0.8 + spread, method={**EL2N, "by": score}, keep_fraction=0.4)
    together = rows_of(tmp_path)[1.0, 0.5, "el2n-hardest"]
    assert (together.verdict, together.outcome.comparisons) == ("not shown", 6)
    assert together.outcome.p_adjusted == pytest.approx(6 * alone.outcome.p_adjusted)
    assert together.difference_half_width == pytest.approx(alone.difference_half_width)
    assert rows_of(tmp_path)[1.0, 0.4, "a-hardest"].outcome is None  # without random


def test_a_baseline_with_a_quota_needs_no_plain_one(tmp_path):
    balanced = {"quota": "balanced"}
    for seed in range(3):
        noise = 0.001 * seed
        write_run(tmp_path, 0.8 + noise, {**RANDOM, **balanced}, 0.5, seed)
        write_run(tmp_path, 0.9 + noise, {**EL2N, **balanced}, 0.5, seed)
        write_run(tmp_path, 0.9 + noise, EL2N, 0.5, seed)
    rows = rows_of(tmp_path)
    assert rows[1.0, 0.5, "el2n-hardest-balanced"].verdict == "better"
    assert rows[1.0, 0.5, "random-balanced"].outcome.verdict == "baseline"
    assert rows[1.0, 0.5, "el2n-hardest"].outcome is None
    assert rows[1.0, 0.5, "el2n-hardest-balanced"].outcome.comparisons == 1


def test_keeping_full_accuracy_needs_no_baseline(tmp_path):
    write(tmp_path, [0.900, 0.901, 0.902])
    write(tmp_path, [0.899, 0.900, 0.901], method=EL2N, keep_fraction=0.5)
    write(tmp_path, [0.895, 0.897, 0.899], method=EL2N, keep_fraction=0.4)
    rows = rows_of(tmp_path)
    assert [rows[1.0, part, "el2n-hardest"].retention.keeps for part in (0.5, 0.4)] == [True, False]
    assert rows[1.0, 1.0, "full"].retention is None


def test_a_class_that_is_lost_in_all_runs_pays(tmp_path):
    for seed in range(8):
        write_run(tmp_path, 0.9, seed=seed, class_accuracy=[1.0, 0.9, 0.5])
        lost = [0.0, 0.9, None if seed else 0.5]
        write_run(tmp_path, 0.6, method=EL2N, keep_fraction=0.5, seed=seed, class_accuracy=lost)
    rows = {row.label: row for row in compare_classes(find_runs(tmp_path))}
    assert {label: row.verdict for label, row in rows.items()} == {0: "worse", 1: "not shown"}
    assert rows[0].half_width is None


def test_which_classes_pay(tmp_path):
    for seed, noise in enumerate((0.0, 0.01, 0.02)):
        full = {"class_accuracy": [0.9 + noise, 0.9 + noise, None], "class_examples": [80, 20, 0]}
        kept = {"class_accuracy": [0.9 + noise, 0.4 - noise, None], "class_examples": [48, 2, 0]}
        write_run(tmp_path, 0.9, seed=seed, **full)
        write_run(tmp_path, 0.8, method=EL2N, keep_fraction=0.5, seed=seed, **kept)
    first, second = compare_classes(find_runs(tmp_path))
    assert (first.label, first.verdict, first.difference) == (0, "not shown", 0)
    assert (second.label, second.verdict) == (1, "worse")
    assert second.difference == pytest.approx(-0.52)
    assert (first.kept_share, second.kept_share) == pytest.approx((0.6, 0.1))


def test_the_order_of_the_rows(tmp_path):
    # Written in an order that is none.
    for keep_fraction in (0.2, 0.8):
        for method in (VOG, EL2N, RANDOM):
            write(tmp_path, [0.8], method=method, keep_fraction=keep_fraction)
    write(tmp_path, [0.8], fraction=0.5)
    write(tmp_path, [0.9])
    assert list(rows_of(tmp_path)) == [
        (1.0, 1.0, "full"),
        (1.0, 0.8, "random"),
        (1.0, 0.8, "el2n-hardest"),
        (1.0, 0.8, "vog-easiest-balanced"),
        (1.0, 0.2, "random"),
        (1.0, 0.2, "el2n-hardest"),
        (1.0, 0.2, "vog-easiest-balanced"),
        (0.5, 1.0, "full"),
    ]


def test_a_class_without_test_examples_does_not_count(tmp_path):
    write(tmp_path, [0.9], class_accuracy=[0.95, None, 0.85])
    assert rows_of(tmp_path)[1.0, 1.0, "full"].lowest_class_accuracy == pytest.approx(0.85)


@pytest.mark.parametrize(
    "section, key, value", [("training", "epochs", 6), ("model", "name", "cnn")]
)
def test_mixed_recipes_are_refused(tmp_path, section, key, value):
    metrics = write_run(tmp_path, 0.9)
    config = {**metrics["config"], section: {key: value}}
    write_run(tmp_path, 0.8, method=RANDOM, keep_fraction=0.5, config=config)
    with pytest.raises(InputError, match=f"{section}.{key}"):
        find_runs(tmp_path)


def test_another_data_fraction_is_the_same_recipe(tmp_path):
    write_run(tmp_path, 0.9)
    write_run(tmp_path, 0.8, fraction=0.5)
    assert [run.data_fraction for run in find_runs(tmp_path)] == [0.5, 1.0]


def test_runs_that_are_not_finished_do_not_count(tmp_path):
    write_run(tmp_path, 0.9)
    (finished,) = find_runs(tmp_path)
    finished.folder.rename(finished.folder.with_name("seed-0.123.partial"))
    with pytest.raises(InputError, match="No finished runs"):
        find_runs(tmp_path)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_runs(tmp_path, name):
    with pytest.raises(InputError, match=r"Expected metrics\.json files below"):
        find_runs(tmp_path / name)


@pytest.mark.parametrize("text", ["", '{"test_accuracy": 0.9', "{}", "[1, 2]", "null"])
def test_damaged_metrics_are_named(tmp_path, text):
    write_run(tmp_path, 0.9)
    write_run(tmp_path, 0.9, seed=1)
    (path,) = tmp_path.rglob("seed-1/metrics.json")
    path.write_text(text)
    with pytest.raises(
        InputError, match=r"seed-1/metrics\.json (is not the metrics of a training|as JSON)"
    ):
        find_runs(tmp_path)


def test_a_run_is_read_as_it_was_written(tmp_path):
    metrics = write_run(tmp_path, 0.9, method=VOG, keep_fraction=0.25, fraction=0.5, seed=3)
    (run,) = find_runs(tmp_path)
    assert dataclasses.asdict(run) == {
        "folder": run.folder,
        "method": "vog-easiest-balanced",
        "data_fraction": 0.5,
        "keep_fraction": 0.25,
        "metrics": metrics,
    }
    assert run.folder.name == "seed-3"


def test_a_quota_is_compared_with_random_under_the_same_quota(tmp_path):
    balanced = {**EL2N, "quota": "balanced"}
    write(tmp_path, [0.80, 0.82], method=RANDOM, keep_fraction=0.5)
    write(tmp_path, [0.85, 0.87], method={**RANDOM, "quota": "balanced"}, keep_fraction=0.5)
    write(tmp_path, [0.90, 0.92], method=balanced, keep_fraction=0.5)
    write(tmp_path, [0.90, 0.92], method=EL2N, keep_fraction=0.5)
    rows = rows_of(tmp_path)
    assert rows[1.0, 0.5, "el2n-hardest-balanced"].difference == pytest.approx(0.05)
    assert rows[1.0, 0.5, "el2n-hardest"].difference == pytest.approx(0.10)
    assert rows[1.0, 0.5, "random-balanced"].difference == pytest.approx(0.05)
    assert rows[1.0, 0.5, "random"].difference is None


def test_a_run_twice_is_refused_and_single_runs_are_left_out(tmp_path):
    for folder, accuracy in (("sweep", 0.9), ("sweep/train", 0.1), ("again", 0.9)):
        write(tmp_path / folder, [accuracy])
    (finished,) = find_runs(tmp_path / "sweep")
    assert finished.metrics["test_accuracy"] == 0.9
    (single,) = find_runs(tmp_path / "sweep" / "train")
    assert single.metrics["test_accuracy"] == 0.1
    with pytest.raises(InputError, match="Two runs of the same method, fraction and seed"):
        find_runs(tmp_path)
