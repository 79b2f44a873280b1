"""`--plan` from the command line, against the work that the command then does."""

import json
import re
from types import SimpleNamespace

import pytest
from support import small

from keras_pruning.preflight import scoring, sweep

SWEEP = """
model: {name: mlp, width: 8}
probe: {epochs: 2}
scores: [el2n]
training: {epochs: 3, batch_size: 32}
sweep: {methods: [el2n, {dynamic: {name: rs2, f: 0.4}}], keep_fractions: [0.5], seeds: 1}
dataset: {name: digits, fraction: 0.1}
"""


def rows(shown):
    """Number, reused and examples of each kind of work in the table."""
    cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in shown.splitlines() if "│" in line]
    return {
        row[0]: tuple(int(re.sub(r"\D", "", cell)) for cell in row[1:4])
        for row in cells
        if len(row) == 6
    }


def seen(metrics):
    return sum(run["examples_seen"] for run in metrics)


@pytest.fixture
def nothing_measured(monkeypatch):
    """Fails if anything is measured."""

    def run_each(*arguments):
        pytest.fail("measured")

    for module in (scoring, sweep):
        monkeypatch.setattr(module, "run_each", run_each)


def test_the_plan_of_a_scoring_counts_what_it_does(workplace, capsys):
    config, output = workplace / "small.yaml", workplace / "planned"
    assert small.run("score", "--plan", "--config", config, "--output", output) == 0
    shown = capsys.readouterr().out
    cost = json.loads((workplace / "out" / "scoring.json").read_text())
    names = ("examples_seen", "examples_forward", "examples_with_gradients")
    assert rows(shown) == {"probes": (2, 0, sum(cost[name] for name in names))}
    assert f"{cost['flops']:.2g}" in shown
    assert "Reads 287 train examples of digits: (8, 8, 1) float32" in shown
    assert not output.exists()
    for line in ("Memory: ", "Disk: ", "Time: about "):
        assert f"\n{line}" in shown


def test_finished_scores_are_not_measured(workplace, nothing_measured, capsys):
    config, output = workplace / "small.yaml", workplace / "out"
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    assert small.run("score", "--plan", "--config", config, "--output", output) == 0
    shown = capsys.readouterr().out
    assert rows(shown) == {"probes": (0, 2, 0)}
    assert "Everything is finished" in shown
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before


@pytest.mark.parametrize("command", ["score", "sweep"])
def test_another_recipe_is_refused_as_without_plan(workplace, nothing_measured, command, capsys):
    options = ["--config", workplace / "small.yaml", "--output", workplace / "out"]
    assert small.run(command, *options, "--probe.epochs", 5) == 2
    refused = capsys.readouterr().err
    assert "probe.epochs" in refused
    assert small.run(command, "--plan", *options, "--probe.epochs", 5) == 2
    assert capsys.readouterr().err == refused


@pytest.mark.slow
def test_the_plan_of_a_sweep_counts_what_it_does(tmp_path, capsys):
    config, output = tmp_path / "sweep.yaml", tmp_path / "out"
    config.write_text(SWEEP)
    options = ["--config", config, "--output", output]
    assert small.run("sweep", "--plan", *options) == 0
    planned = rows(capsys.readouterr().out)
    assert not output.exists()
    assert small.run("sweep", *options) == 0
    metrics = [json.loads(path.read_text()) for path in output.glob("*/*/*/metrics.json")]
    tested = 360 * len(metrics)
    probes = planned.pop("probes")
    cost = json.loads((output / "scoring.json").read_text())
    assert probes == (1, 0, cost["examples_seen"] + cost["examples_forward"])
    assert {what: number for what, (number, *_) in planned.items()} == {
        "full data": 1,
        "random pruning": 1,
        "methods": 1,
        "dynamic methods": 1,
        "their baselines": 1,
    }
    # The share of a dynamic method is rounded, and those of the others are exact.
    total = sum(examples for *_, examples in planned.values())
    assert total == pytest.approx(seen(metrics) + tested, rel=1e-3)
    # Another seed: its runs are missing, and the others are reused
    capsys.readouterr()
    assert small.run("sweep", "--plan", *options, "--sweep.seeds", 2) == 0
    again = rows(capsys.readouterr().out)
    assert again.pop("probes") == (0, 1, 0)
    assert {counts[:2] for counts in again.values()} == {(1, 1)}
    assert {what: counts[2] for what, counts in again.items()} == {
        what: counts[2] for what, counts in planned.items()
    }


@pytest.mark.slow
def test_the_table_is_shown_before_a_refusal(workplace, monkeypatch, capsys):
    memory = SimpleNamespace(available=2**20)
    monkeypatch.setattr("keras_pruning.storage.memory.psutil.virtual_memory", lambda: memory)
    options = ["--config", workplace / "small.yaml", "--output", workplace / "refused"]
    assert small.run("score", "--plan", *options) == 2
    shown, error = capsys.readouterr()
    assert rows(shown)["probes"][0] == 2
    assert "Expected at most 1.0 MiB, the available memory" in error
    assert "set probe.jobs: 1" in error.lower()


def test_the_option_is_told_in_the_help(capsys):
    for command in ("score", "sweep"):
        with pytest.raises(SystemExit):
            small.run(command, "--help")
        assert "--plan" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--probe.split", "test", "--scores", "[el2n, aum, grand, prototype]"],
        ["--fraction", "0.5", "--extrapolate", "--scores", "[el2n, prediction_depth]"],
        ["--scores", "[loss, margin]", "--probe.seeds", "1"],
    ],
)
def test_passes_are_counted_as_they_are_made(tmp_path, capsys, options):
    config, output = tmp_path / "score.yaml", tmp_path / "out"
    config.write_text(SWEEP)
    options = ["--config", config, "--output", output, *options]
    assert small.run("score", "--plan", *options) == 0
    ((_, _, examples),) = rows(capsys.readouterr().out).values()
    assert small.run("score", *options) == 0
    cost = json.loads((output / "scoring.json").read_text())
    names = ("examples_seen", "examples_forward", "examples_with_gradients")
    assert examples == sum(cost[name] for name in names)


@pytest.mark.slow
def test_one_measurement_serves_all_data_fractions(tmp_path, capsys):
    config, output = tmp_path / "sweep.yaml", tmp_path / "out"
    config.write_text(SWEEP)
    options = ["--config", config, "--output", output, "--sweep.data_fractions", "[0.1, 0.2]"]
    options += ["--sweep.methods", "[el2n]", "--scores", "[el2n, prediction_depth]"]
    assert small.run("sweep", "--plan", *options) == 0
    probes = rows(capsys.readouterr().out)["probes"]
    assert small.run("sweep", *options) == 0
    costs = [json.loads(path.read_text()) for path in output.glob("data-*/scoring.json")]
    names = ("examples_seen", "examples_forward", "examples_with_gradients")
    assert len(costs) == 2
    assert probes == (2, 0, sum(cost[name] for cost in costs for name in names))


@pytest.mark.slow
def test_checkpoints_are_scored_and_not_trained(tmp_path, capsys):
    config, output = tmp_path / "score.yaml", tmp_path / "out"
    config.write_text(SWEEP)
    for epoch in (1, 2):
        place = tmp_path / f"trained-{epoch}"
        options = ["--training.epochs", epoch, "--output", place]
        assert small.run("train", "--config", config, *options) == 0
        (place / "model.keras").rename(tmp_path / f"epoch-{epoch}.keras")
    options = ["--checkpoints", tmp_path / "*.keras", "--config", config, "--output", output]
    options += ["--scores", "[el2n, vog, forgetting]"]
    capsys.readouterr()
    assert small.run("score", "--plan", *options) == 0
    planned = rows(capsys.readouterr().out)
    # Both models give outputs for forgetting, and gradients for VoG
    assert planned == {"checkpoints to score with": (2, 0, 4 * 144)}
    assert small.run("score", *options) == 0
    cost = json.loads((output / "scoring.json").read_text())
    assert cost["examples_forward"] + cost["examples_with_gradients"] == 4 * 144
