import numpy as np
import pytest
from support.board import Board
from support.fake_runs import EL2N, RANDOM, write_run

from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.reports.event_files import EventFile
from keras_pruning.reports.hparams import write_run_summary
from keras_pruning.reports.tensorboard import write_tensorboard

SEEDS = "mean and 95 % interval over the evaluation seeds"
ACCURACY, DIFFERENCE = f"Test accuracy: {SEEDS}", f"Difference to random pruning: {SEEDS}"


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
    assert "comparison/accuracy/full" not in board.runs
    # Two seeds 0.02 apart: 12.706 is the quantile of t, 0.01 the standard error.
    width = 12.706 * 0.01
    for method, means in (("random", [0.21, 0.81, 0.91]), ("el2n-hardest", [0.11, 0.71, 0.91])):
        assert steps(board, method) == [20, 80, 100]
        for name, offset in (("mean", 0), ("lower", -width), ("upper", width)):
            found = values(board, method, f"accuracy/{name}")
            np.testing.assert_allclose(found, np.add(means, offset), atol=1e-4)


def test_the_difference_starts_from_zero(tmp_path):
    write_grid(tmp_path, [0.5])
    board = board_of(tmp_path)
    for name in ("mean", "lower", "upper"):
        assert values(board, "random", f"difference_to_random/{name}") == [0.0, 0.0]
    mean = values(board, "el2n-hardest", "difference_to_random/mean")
    np.testing.assert_allclose(mean, [-0.1, 0.0], atol=1e-6)
    # Two and two runs of equal variance: two degrees of freedom, standard error 0.01 · √2.
    lower = values(board, "el2n-hardest", "difference_to_random/lower")
    upper = values(board, "el2n-hardest", "difference_to_random/upper")
    np.testing.assert_allclose(lower, [-0.1 - 4.3027 * 0.0141421, 0.0], atol=1e-5)
    np.testing.assert_allclose(upper, [-0.1 + 4.3027 * 0.0141421, 0.0], atol=1e-5)


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
            "Test accuracy by percentage kept": (
                "accuracy/mean",
                "accuracy/lower",
                "accuracy/upper",
            )
        },
        DIFFERENCE: {
            "Difference to random pruning by percentage kept": (
                "difference_to_random/mean",
                "difference_to_random/lower",
                "difference_to_random/upper",
            )
        },
    }
    shown = {tag for charts in board.layout().values() for tags in charts.values() for tag in tags}
    for method in ("random", "el2n-hardest"):
        assert set(board.tags(f"comparison/accuracy/{method}", "scalars")) == shown


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
    assert list(board.layout()[ACCURACY]) == [f"Test accuracy by {unit}"]


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
    assert board.scalars("comparison/accuracy/full", "accuracy/mean") == [(100, 0.75)]


def test_a_method_that_kept_everything_stands_for_itself(tmp_path):
    write_run(tmp_path, 0.75)
    write_run(tmp_path, 0.5, EL2N, keep_fraction=1.0)
    board = board_of(tmp_path)
    assert board.scalars("comparison/accuracy/el2n-hardest", "accuracy/mean") == [(100, 0.5)]


def test_each_data_fraction_has_its_charts(tmp_path):
    write_grid(tmp_path, [0.5])
    write_grid(tmp_path, [0.25], fraction=0.5)
    board = board_of(tmp_path)
    assert list(board.layout()[ACCURACY]) == [
        "Test accuracy by percentage kept, 100 % of the data",
        "Test accuracy by percentage kept, 50 % of the data",
    ]
    assert list(board.layout()[ACCURACY].values())[1][0] == "accuracy/data-0.50/mean"
    assert steps(board, "el2n-hardest", "accuracy/data-1.00/mean") == [50, 100]
    assert steps(board, "el2n-hardest", "accuracy/data-0.50/mean") == [25, 100]
    assert steps(board, "el2n-hardest", "difference_to_random/data-0.50/mean") == [25, 100]


def summarise(folder):
    for run in find_runs(folder):
        with EventFile(run.folder) as events:
            write_run_summary(events, run.method, run.keep_fraction, run.data_fraction, run.metrics)


def test_hparams_averages_the_seeds(tmp_path):
    write_grid(tmp_path, [0.5, 0.25], seeds=3)
    summarise(tmp_path)
    board = board_of(tmp_path)
    shown = {
        (hparams["method"], hparams["keep_fraction"], hparams["data_fraction"]): (metrics, runs)
        for hparams, metrics, runs in board.groups().values()
    }
    assert len(shown) == 5
    metrics, runs = shown["el2n-hardest", 0.25, 1.0]
    assert runs == 3
    assert metrics == pytest.approx({"test/accuracy": 0.17, "test/loss": 0.83})
    assert shown["full", 1.0, 1.0][0]["test/accuracy"] == pytest.approx(0.92)
    experiment = board.experiment()
    assert [info.name for info in experiment.hparam_infos] == [
        "keep_fraction",
        "method",
        "data_fraction",
    ]
    assert list(experiment.hparam_infos[0].domain_discrete) == [0.25, 0.5, 1.0]
    assert [info.name.tag for info in experiment.metric_infos] == ["test/accuracy", "test/loss"]


def test_runs_of_two_recipes_are_two_groups(tmp_path):
    metrics = write_run(tmp_path / "a", 0.9)
    config = {**metrics["config"], "model": {"name": "cnn"}}
    write_run(tmp_path / "b", 0.8, config=config)
    summarise(tmp_path / "a")
    summarise(tmp_path / "b")
    board_of(tmp_path / "a")
    accuracies = [metrics["test/accuracy"] for _, metrics, _ in Board(tmp_path).groups().values()]
    assert sorted(accuracies) == pytest.approx([0.8, 0.9])


def test_a_summary_says_when_the_run_was(tmp_path):
    metrics = write_run(tmp_path, 0.75)
    with EventFile(tmp_path / "run") as events:
        write_run_summary(events, "full", 1.0, 1.0, metrics)
    assert Board(tmp_path).scalars("run", "test/accuracy") == [(metrics["steps"], 0.75)]
