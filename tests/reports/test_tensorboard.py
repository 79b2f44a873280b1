import itertools

import numpy as np
import pytest
from support.board import Board
from support.fake_runs import EL2N, RANDOM, write_run

from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_run_summary
from keras_pruning.reports.tensorboard import addresses, write_tensorboard
from keras_pruning.storage import write_json

SEEDS = "mean and 95 % interval over the evaluation seeds"
ACCURACY = f"Test accuracy in %: {SEEDS}"
DIFFERENCE = f"Difference to random pruning, in points: {SEEDS}"


def write_grid(folder, keep_fractions, seeds=2, fraction=1.0, methods=(RANDOM, EL2N)):
    """Full data at 0.9, random pruning at the keep fraction, EL2N 0.1 below; seeds 0.02 apart."""
    for seed in range(seeds):
        write_run(folder, 0.9 + 0.02 * seed, seed=seed, fraction=fraction)
        for keep_fraction in keep_fractions:
            for method in methods:
                accuracy = keep_fraction - 0.1 * (method is EL2N) + 0.02 * seed
                accuracy = min(max(accuracy, 0.02), 0.98)
                write_run(folder, accuracy, method, keep_fraction, seed, fraction)


def board_of(folder):
    runs = find_runs(folder)
    write_tensorboard(folder / "comparison", runs, compare(runs), {}, {})
    return Board(folder)


def steps(board, method, tag="accuracy/mean"):
    return [step for step, _ in board.scalars(f"comparison/accuracy/{method}", tag)]


def values(board, method, tag):
    return [value for _, value in board.scalars(f"comparison/accuracy/{method}", tag)]


def test_curves_climb_to_the_full_data(tmp_path):
    write_grid(tmp_path, [0.8, 0.2])
    board = board_of(tmp_path)
    assert board.runs.keys() >= {"comparison/accuracy/random", "comparison/accuracy/el2n-hardest"}
    # In percent. Two seeds 2 apart: 12.706 is the quantile of t, 1 the standard error.
    width = 12.706
    for method, means in (
        ("random", [21, 81, 91]),
        ("el2n-hardest", [11, 71, 91]),
        ("full", [91, 91, 91]),
    ):
        assert steps(board, method) == [20, 80, 100]
        for name, offset in (("mean", 0), ("lower", -width), ("upper", width)):
            found = values(board, method, f"accuracy/{name}")
            np.testing.assert_allclose(found, np.add(means, offset), atol=1e-2)


def test_the_difference_starts_from_zero(tmp_path):
    write_grid(tmp_path, [0.5])
    board = board_of(tmp_path)
    for name in ("mean", "lower", "upper"):
        assert values(board, "random", f"difference_to_random/{name}") == [0.0, 0.0]
    mean = values(board, "el2n-hardest", "difference_to_random/mean")
    np.testing.assert_allclose(mean, [-10, 0], atol=1e-4)
    # Two and two runs of equal variance: two degrees of freedom, standard error √2 points.
    lower = values(board, "el2n-hardest", "difference_to_random/lower")
    upper = values(board, "el2n-hardest", "difference_to_random/upper")
    np.testing.assert_allclose(lower, [-10 - 4.3027 * 1.41421, 0], atol=1e-3)
    np.testing.assert_allclose(upper, [-10 + 4.3027 * 1.41421, 0], atol=1e-3)


def test_one_seed_has_no_interval(tmp_path):
    write_grid(tmp_path, [0.5], seeds=1)
    board = board_of(tmp_path)
    for tag in ("accuracy", "difference_to_random"):
        mean = values(board, "el2n-hardest", f"{tag}/mean")
        assert mean == values(board, "el2n-hardest", f"{tag}/lower")
        assert mean == values(board, "el2n-hardest", f"{tag}/upper")


def test_charts_show_the_curves(tmp_path):
    write_grid(tmp_path, [0.5])
    board = board_of(tmp_path)
    assert board.layout() == {
        ACCURACY: {
            "Test accuracy in %, by percentage kept": (
                "accuracy/mean",
                "accuracy/lower",
                "accuracy/upper",
            )
        },
        DIFFERENCE: {
            "Difference to random pruning, in points, by percentage kept": (
                "difference_to_random/mean",
                "difference_to_random/lower",
                "difference_to_random/upper",
            )
        },
    }
    shown = {tag for charts in board.layout().values() for tags in charts.values() for tag in tags}
    for method in ("random", "el2n-hardest"):
        tags = board.tags(f"comparison/accuracy/{method}", "scalars")
        assert {tag for tag in tags if not tag.startswith("hparams/")} == shown


@pytest.mark.parametrize(
    "keep_fractions, expected, unit",
    [
        ([0.5, 0.125], [13, 50, 100], "percentage kept"),
        ([0.145, 0.29], [15, 29, 100], "percentage kept"),
        ([0.124, 0.121], [121, 124, 1000], "examples kept of 1,000"),
        ([0.001, 0.5], [1, 500, 1000], "examples kept of 1,000"),
        ([0.996], [996, 1000], "examples kept of 1,000"),
        ([0.00004], [4, 100_000], "examples kept of 100,000"),
    ],
)
def test_no_two_fractions_share_a_step(tmp_path, keep_fractions, expected, unit):
    write_grid(tmp_path, keep_fractions)
    board = board_of(tmp_path)
    assert steps(board, "random") == steps(board, "el2n-hardest") == expected
    assert list(board.layout()[ACCURACY]) == [f"Test accuracy in %, by {unit}"]


def test_without_random_there_is_no_difference(tmp_path):
    write_grid(tmp_path, [0.5], methods=[EL2N])
    board = board_of(tmp_path)
    assert list(board.layout()) == [ACCURACY]
    assert "difference_to_random/mean" not in board.tags(
        "comparison/accuracy/el2n-hardest", "scalars"
    )


def test_a_fraction_without_random_is_left_out_of_the_difference(tmp_path):
    write_grid(tmp_path, [0.5])
    write_run(tmp_path, 0.7, EL2N, keep_fraction=0.2)
    board = board_of(tmp_path)
    assert steps(board, "el2n-hardest") == [20, 50, 100]
    assert steps(board, "el2n-hardest", "difference_to_random/mean") == [50, 100]


def test_the_full_data_alone_is_a_curve(tmp_path):
    write_run(tmp_path, 0.75)
    board = board_of(tmp_path)
    assert board.scalars("comparison/accuracy/full", "accuracy/mean") == [(100, 75.0)]


def test_a_method_that_kept_everything_stands_for_itself(tmp_path):
    write_run(tmp_path, 0.75)
    write_run(tmp_path, 0.5, EL2N, keep_fraction=1.0)
    board = board_of(tmp_path)
    assert board.scalars("comparison/accuracy/el2n-hardest", "accuracy/mean") == [(100, 50.0)]


def test_each_data_fraction_has_its_charts(tmp_path):
    write_grid(tmp_path, [0.5])
    write_grid(tmp_path, [0.25], fraction=0.5)
    board = board_of(tmp_path)
    assert list(board.layout()[ACCURACY]) == [
        "Test accuracy in %, by percentage kept, 100 % of the data",
        "Test accuracy in %, by percentage kept, 50 % of the data",
    ]
    assert list(board.layout()[ACCURACY].values())[1][0] == "accuracy/data-0.50/mean"
    assert steps(board, "el2n-hardest", "accuracy/data-1.00/mean") == [50, 100]
    assert steps(board, "el2n-hardest", "accuracy/data-0.50/mean") == [25, 100]
    assert steps(board, "el2n-hardest", "difference_to_random/data-0.50/mean") == [25, 100]


def summarise(folder):
    for run in find_runs(folder):
        with EventFile(run.folder) as events:
            write_run_summary(events, run.method, run.keep_fraction, run.data_fraction, run.metrics)


def rows_of_hparams(board):
    """Returns the metrics of each row of HParams and its number of runs."""
    return {
        hparams["method"]: (metrics, runs) for hparams, metrics, runs in board.groups().values()
    }


@pytest.mark.parametrize("around", [False, True], ids=["comparison", "runs"])
def test_hparams_shows_the_means_of_a_method(tmp_path, around):
    """The same table from the comparison alone and from all runs around it."""
    write_grid(tmp_path, [0.5, 0.25], seeds=3)
    summarise(tmp_path)
    board = board_of(tmp_path)
    board = board if around else Board(tmp_path / "comparison")
    rows = rows_of_hparams(board)
    assert rows.keys() == {"full", "random", "el2n-hardest"}
    means = {"hparams/keep-0.25": 17.0, "hparams/keep-0.50": 42.0}
    columns = {info.name.tag: info.display_name for info in board.experiment().metric_infos}
    metrics, runs = rows["el2n-hardest"]
    assert {tag: metrics[tag] for tag in columns if tag in metrics} == pytest.approx(means)
    assert runs == (7 if around else 1)
    assert rows["full"][0]["hparams/keep-1.00"] == pytest.approx(92.0)
    assert list(columns.values()) == [
        "test accuracy in %, 25 % kept",
        "test accuracy in %, 50 % kept",
        "test accuracy in %, 100 % kept",
    ]
    # All have the same quota: none.
    hparams = {info.name: list(info.domain_discrete) for info in board.experiment().hparam_infos}
    assert hparams == {
        "method": ["el2n-hardest", "full", "random"],
        "score": ["el2n", "none"],
        "policy": ["hardest", "none", "random"],
    }


def test_hparams_keeps_data_fractions_apart(tmp_path):
    write_grid(tmp_path, [0.5], seeds=1)
    write_grid(tmp_path, [0.5], seeds=1, fraction=0.5, methods=[RANDOM])
    summarise(tmp_path)
    board = board_of(tmp_path)
    infos = board.experiment().metric_infos
    assert {info.name.tag: info.display_name for info in infos} == {
        "hparams/keep-0.50": "test accuracy in %, 50 % kept of 100 % of the data",
        "hparams/keep-1.00": "test accuracy in %, 100 % kept of 100 % of the data",
        "hparams/keep-0.50/data-0.50": "test accuracy in %, 50 % kept of 50 % of the data",
        "hparams/keep-1.00/data-0.50": "test accuracy in %, 100 % kept of 50 % of the data",
    }
    metrics, _ = rows_of_hparams(board)["random"]
    assert metrics["hparams/keep-0.50"] == metrics["hparams/keep-0.50/data-0.50"] == 50.0


def test_a_method_of_a_pilot_is_one_row(tmp_path):
    """The policy that it chose differs between fractions, the request does not."""
    for keep_fraction, policy in ((0.2, "easiest"), (0.5, "hardest")):
        request = {"by": "el2n", "policy": "auto", "quota": None}
        method = {"by": "el2n", "policy": policy, "quota": None}
        metrics = write_run(tmp_path / policy, keep_fraction, method, keep_fraction)
        metrics["selection"]["auto"] = {"request": request}
        (path,) = (tmp_path / policy).rglob("metrics.json")
        path.unlink()
        write_json(path, metrics)
    summarise(tmp_path)
    ((hparams, metrics, _),) = board_of(tmp_path).groups().values()
    assert (hparams["method"], hparams["score"], hparams["policy"]) == ("el2n-auto", "el2n", "auto")
    assert metrics["hparams/keep-0.20"] == pytest.approx(20)
    assert metrics["hparams/keep-0.50"] == pytest.approx(50)


def test_runs_of_two_recipes_are_two_groups(tmp_path):
    metrics = write_run(tmp_path / "a", 0.9)
    config = {**metrics["config"], "model": {"name": "cnn"}}
    write_run(tmp_path / "b", 0.8, config=config)
    summarise(tmp_path / "a")
    summarise(tmp_path / "b")
    board_of(tmp_path / "a")
    groups = Board(tmp_path).groups().values()
    accuracies = [metrics["hparams/keep-1.00"] for _, metrics, _ in groups]
    assert sorted(accuracies) == pytest.approx([80, 90])


def test_a_summary_says_when_the_run_was(tmp_path):
    metrics = write_run(tmp_path, 0.75)
    with EventFile(tmp_path / "run") as events:
        write_run_summary(events, "full", 1.0, 1.0, metrics)
    assert Board(tmp_path).scalars("run", "test/accuracy") == [(metrics["steps"], 0.75)]


def methods_of(scores, policies):
    pairs = itertools.product(scores, policies)
    return [{"by": score, "policy": policy, "quota": None} for score, policy in pairs]


SCORES = ["el2n", "aum", "vog", "grand", "confidence", "forgetting", "dual", "prototype"]


def test_charts_show_the_worst_method(tmp_path):
    """TensorBoard scales a chart to the values between two quantiles of all that it shows."""
    methods = [RANDOM, *methods_of(SCORES, ["hardest"])]
    write_grid(tmp_path, [0.1, 0.3, 0.5, 0.7, 0.9], seeds=2, methods=methods)
    write_run(tmp_path, 0.01, {"by": "aum", "policy": "easiest", "quota": None}, 0.1)
    board = board_of(tmp_path)
    for tag in ("accuracy", "difference_to_random"):
        shown, scale = [], []
        for run in board.runs:
            is_scale = run.startswith("comparison/scale")
            for name in ("mean", "lower", "upper"):
                if f"{tag}/{name}" in board.tags(run, "scalars"):
                    points = board.scalars(run, f"{tag}/{name}")
                    assert min(step for step, _ in points) >= 10
                    (scale if is_scale else shown).extend(value for _, value in points)
        finite = [value for value in scale if np.isfinite(value)]
        # Two thirds: the means, which would be drawn, are infinite.
        assert len(finite) == len(scale) * 2 / 3
        low, high = np.quantile(shown + finite, [0.05, 0.95])
        assert (low, high) == (min(shown), max(shown))
        # Without the scale, the only run of the worst method would be an outlier.
        assert tag != "accuracy" or np.quantile(shown, 0.05) > min(shown)


POLICIES = ["hardest", "easiest", "middle", "window", "stratified"]


@pytest.mark.parametrize(
    "policies, runs, ends, curves",
    [
        # 32 methods, random, full, the scale and the folder itself
        (POLICIES[:4], 34 + 3, {""}, 34 + 2),
        # A run of each score, and a chart of each policy with random and full
        (POLICIES, 10 + 3, {f", {policy}" for policy in POLICIES}, 10 + 2),
    ],
    ids=["few", "many"],
)
def test_a_comparison_stays_below_forty_runs(tmp_path, policies, runs, ends, curves):
    write_grid(tmp_path, [0.5], seeds=2, methods=[RANDOM, *methods_of(SCORES, policies)])
    rows = compare(find_runs(tmp_path))
    board_of(tmp_path)
    board = Board(tmp_path / "comparison")
    assert len(board.runs) == runs <= 40
    # HParams has one row for each run, so it has none if methods share them.
    assert len(board.groups()) == (len(policies) * 8 + 2 if ends == {""} else 0)
    assert ("table" in addresses(tmp_path / "comparison", rows, {}, {})) == (ends == {""})
    charts = board.layout()[ACCURACY]
    assert set(charts) == {f"Test accuracy in %, by percentage kept{end}" for end in ends}
    for tags in charts.values():
        for tag in tags:
            shown = {run for run in board.runs if tag in board.tags(run, "scalars")}
            assert shown >= {"accuracy/random", "accuracy/full", "scale/lowest", "scale/highest"}
            assert len(shown) == curves


def test_many_methods_keep_their_curves(tmp_path):
    methods = methods_of(SCORES, POLICIES)
    write_grid(tmp_path, [0.5], seeds=1, methods=[RANDOM])
    for number, method in enumerate(methods):
        write_run(tmp_path, (number + 1) / 100, method, 0.5)
    board = board_of(tmp_path)
    for number, method in enumerate(methods):
        tag = f"accuracy/{method['policy']}/mean"
        points = board.scalars(f"comparison/accuracy/by {method['by']}", tag)
        assert points == [(50, pytest.approx(number + 1)), (100, pytest.approx(90))]
