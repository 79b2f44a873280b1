"""`training.dynamic` in the commands."""

import pytest
from support.small import run

from keras_pruning.storage import read_json

SMALL = ["--dataset.fraction", 0.1, "--model.name", "mlp", "--training.epochs", 4]


def test_a_run_is_trained_and_reused(tmp_path, capsys):
    command = ["train", *SMALL, "--training.dynamic", "{name: infobatch, r: 0.8}"]
    for _ in range(2):
        assert run(*command, "--output", tmp_path / "run") == 0
    printed = capsys.readouterr().out
    assert "Reused" in printed
    metrics = read_json(tmp_path / "run" / "metrics.json")
    seen = metrics["examples_seen"]
    assert f"Its 4 epochs saw {seen} of 576 examples, {1 - seen / 576:.1%} fewer" in printed
    assert metrics["config"]["training"]["dynamic"] == {"name": "infobatch", "r": 0.8}
    assert len(metrics["epochs"]) == 4
    assert metrics["examples_seen"] == sum(epoch["kept"] for epoch in metrics["epochs"]) < 4 * 144
    # Another method is another run
    other = ["train", *SMALL, "--training.dynamic", "infobatch", "--output", tmp_path / "run"]
    assert run(*other) == 2
    assert "another recipe" in capsys.readouterr().err


@pytest.mark.slow
def test_probes_train_on_all_examples(tmp_path, caplog):
    command = ["score", *SMALL, "--probe.epochs", 2, "--scores", "[el2n]"]
    with_method = [*command, "--training.dynamic", "{name: shortened, f: 0.5}"]
    assert run(*command, "--output", tmp_path / "plain") == 0
    assert run(*with_method, "--output", tmp_path / "dynamic") == 0
    plain, dynamic = (tmp_path / name / "scores.csv" for name in ("plain", "dynamic"))
    assert plain.read_text() == dynamic.read_text()
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*with_method, "--output", tmp_path / "plain") == 0
    assert "Reused" in caplog.text


@pytest.mark.parametrize("dynamic, message", [("rs3", "dynamic method"), ("{r: 1}", "name")])
def test_an_unknown_method_is_one_message(tmp_path, capsys, dynamic, message):
    command = ["train", *SMALL, "--training.dynamic", dynamic, "--output", tmp_path / "run"]
    assert run(*command) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_subset_needs_the_budget_of_epochs(tmp_path, capsys):
    assert run("score", *SMALL, "--probe.epochs", 2, "--output", tmp_path) == 0
    subset = tmp_path / "half.parquet"
    options = ["--by", "el2n", "--keep-fraction", 0.5, "--output", subset]
    assert run("prune", "--scores", tmp_path / "scores.parquet", *options) == 0
    command = ["train", *SMALL, "--subset", subset, "--training.dynamic", "rs2"]
    assert run(*command, "--output", tmp_path / "run") == 2
    assert "Expected training.budget: epochs" in capsys.readouterr().err
    assert run(*command, "--training.budget", "epochs", "--output", tmp_path / "run") == 0
    assert read_json(tmp_path / "run" / "metrics.json")["examples_seen"] == 4 * 36


def test_an_option_of_a_method_may_stand_alone(tmp_path):
    (tmp_path / "a.yaml").write_text("training: {dynamic: {name: infobatch, r: 0.5}}")
    options = ["--training.dynamic.r", 0.8, "--training.dynamic.loss", "batch"]
    command = ["train", "--config", tmp_path / "a.yaml", *SMALL, *options]
    assert run(*command, "--output", tmp_path / "run") == 0
    dynamic = read_json(tmp_path / "run" / "metrics.json")["config"]["training"]["dynamic"]
    assert dynamic == {"name": "infobatch", "r": 0.8, "loss": "batch"}
