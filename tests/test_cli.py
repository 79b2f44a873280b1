"""The command line from end to end, its files, and every mistake a user can make."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import keras_pruning as kp
from keras_pruning import cli

ROOT = Path(__file__).parent.parent
CONFIG = """
model: {name: mlp, width: 16}
probe: {epochs: 4, seeds: 2, jobs: 2}
scores: [el2n, {name: vog, every: 2, seeds: 1}, {name: prediction_depth, k: 5, seeds: 1}]
training: {epochs: 2, batch_size: 32}
sweep: {methods: [el2n, {by: vog, policy: easiest, quota: balanced}], seeds: 2, jobs: 2}
dataset: {name: digits, fraction: 0.2}
"""


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a config and its scores."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "small.yaml").write_text(CONFIG)
    assert run("score", "--config", folder / "small.yaml", "--output", folder / "out") == 0
    return folder


@pytest.fixture
def scores(workplace):
    return workplace / "out" / "scores.parquet"


def test_help_is_fast_and_does_without_tensorflow():
    command = [sys.executable, "-X", "importtime", "cli.py", "--help"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}
    assert "jsonargparse" in imported
    assert not imported & {"tensorflow", "keras", "sklearn", "scipy", "pyarrow", "tensorboard"}
    for command in cli.COMMANDS:
        assert f"\n    {command} " in finished.stdout


def test_score_writes_the_table_of_the_contract(scores):
    columns = pq.read_table(scores).column_names
    assert columns == ["id", "label", "el2n", "vog", "prediction_depth", "el2n_se"]
    table = kp.ScoreTable.load(scores)
    examples = kp.load_examples("digits", fraction=0.2)
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.labels, examples.labels)
    assert table.metadata["examples"] == examples.provenance
    recipe = table.metadata["recipe"]
    assert recipe["probe"] == {"epochs": 4, "seeds": [0, 1]}
    assert recipe["threads"] == max(1, os.cpu_count() // 2)
    assert recipe["versions"]["keras_pruning"] == kp.__version__
    with open(scores.with_suffix(".csv")) as file:
        assert [row["id"] for row in csv.DictReader(file)] == table.ids.tolist()
    costs = json.loads((scores.parent / "scoring.json").read_text())
    # The second probe is needed for EL2N alone, which is due after one of the four epochs.
    assert [probe["examples_seen"] for probe in costs["probes"]] == [4 * 287, 287]


def test_the_same_config_gives_the_same_bits(workplace, scores):
    again = workplace / "again"
    assert run("score", "--config", workplace / "small.yaml", "--output", again) == 0
    assert (again / "scores.parquet").read_bytes() == scores.read_bytes()


def test_the_probes_of_an_ensemble_differ(scores):
    table = kp.ScoreTable.load(scores)
    assert (table.standard_errors["el2n"] > 0).mean() > 0.99


def test_scores_of_the_same_recipe_are_reused(workplace, scores, capsys, caplog):
    before = scores.stat().st_mtime_ns
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("score", "--config", workplace / "small.yaml", "--output", scores.parent) == 0
    assert scores.stat().st_mtime_ns == before
    assert "Reused" in caplog.text


def test_prune_and_train(workplace, scores, capsys):
    subset = workplace / "el2n-0.50.parquet"
    arguments = ["--by", "el2n", "--keep-fraction", 0.5, "--quota", "balanced", "--output", subset]
    assert run("prune", "--scores", scores, *arguments) == 0
    assert "Kept 144 of 287 examples." in capsys.readouterr().out
    kept = kp.Subset.load(subset)
    assert len(kept) == 144
    config, output = workplace / "small.yaml", workplace / "trained"
    arguments = ["--config", config, "--subset", subset, "--seed", 3, "--output", output]
    assert run("train", *arguments) == 0
    assert "Test accuracy" in capsys.readouterr().out
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["examples_kept"] == 144 == sum(metrics["class_examples"])
    assert metrics["seed"] == 3
    assert metrics["steps"] == 2 * 9  # as many as 287 examples take in batches of 32
    assert metrics["examples_seen"] == 3 * 144 + 3 * 32
    assert metrics["config"]["training"]["epochs"] == 2
    assert metrics["selection"]["by"] == "el2n"
    assert len(metrics["class_accuracy"]) == 10
    assert {"test_loss", "seconds"} <= metrics.keys()
    assert list(output.glob("events.out.tfevents.*"))
    model = kp.scores.checkpoints.models.load(output / "model.keras")
    test = kp.load_examples("digits", "test")
    predicted = model.predict(test.stored_inputs(np.arange(len(test))), verbose=0).argmax(axis=1)
    assert (predicted == test.labels).mean() == pytest.approx(metrics["test_accuracy"])
    assert run("train", *arguments) == 0
    assert "Reused" in capsys.readouterr().out
    assert run("train", *arguments[:-3], 4, "--output", output) == 2
    assert "seed: there 3, asked for 4" in capsys.readouterr().err


def test_sweep_compares_with_random_and_the_full_data(workplace, capsys, caplog):
    output = workplace / "swept"
    arguments = ["--config", workplace / "small.yaml", "--output", output]
    arguments += ["--sweep.keep_fractions", "[0.5, 1.0]"]
    assert run("sweep", *arguments) == 0
    shown = capsys.readouterr().out
    folders = {str(path.parent.relative_to(output)) for path in output.rglob("metrics.json")}
    methods = ["random", "el2n-hardest", "vog-easiest-balanced"]
    expected = {f"full/keep-1.00/seed-{seed}" for seed in (0, 1)}
    expected |= {f"{method}/keep-0.50/seed-{seed}" for method in methods for seed in (0, 1)}
    assert folders == expected
    for method in ["full", *methods]:
        assert f" {method} " in shown
    assert f"--logdir {output}" in shown
    assert "Scoring took" in shown
    with open(output / "comparison" / "comparison.csv") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    accuracies = [
        json.loads((output / f"random/keep-0.50/seed-{seed}/metrics.json").read_text())[
            "test_accuracy"
        ]
        for seed in (0, 1)
    ]
    assert float(rows["random"]["accuracy"]) == pytest.approx(np.mean(accuracies))
    assert rows["full"]["difference"] == ""
    subsets = [
        kp.Subset.load(output / f"random/keep-0.50/seed-{seed}/subset.parquet") for seed in (0, 1)
    ]
    assert (subsets[0].mask != subsets[1].mask).any()
    before = {path: path.stat().st_mtime_ns for path in output.rglob("metrics.json")}
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("sweep", *arguments) == 0
        assert run("compare", "--runs", output) == 0
    assert "Reused 8 finished runs" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert run("sweep", *arguments, "--training.epochs", 3) == 2
    assert "training.epochs: there 2, asked for 3" in capsys.readouterr().err


def fails(capsys, tmp_path, *arguments):
    """The one message of a command that must exit with 2 and leave nothing behind."""
    before = sorted(tmp_path.rglob("*"))
    try:
        code = run(*arguments)
    except SystemExit as error:
        code = error.code
    message = capsys.readouterr().err
    assert code == 2
    assert message.startswith("error: ")
    assert message.count("error:") == 1
    assert "Traceback" not in message
    assert sorted(tmp_path.rglob("*")) == before
    return message


def npz(path, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.random((40, 6, 6, 1), dtype="float32"),
        "y_train": np.arange(40) % 3,
        "x_test": rng.random((9, 6, 6, 1), dtype="float32"),
        "y_test": np.arange(9) % 3,
    }
    np.savez(path, **{**arrays, **changes})
    return f"npz:{path}"


def bad_pixels(value):
    x = np.zeros((40, 6, 6, 1), "float32")
    x[17, 2, 3] = value
    return x


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset.name", "digit"], "Unknown data set.*'idx:DIR'.*Received: 'digit'"),
        (["--dataset.nam", "digits"], "dataset.nam"),
        (["--probe.epochs", "many"], r"probe.epochs(.|\n)*int.*many"),
        (["--training.budget", "time"], r"budget(.|\n)*steps.*epochs.*time"),
        (["--scores", "[el3n]"], "Unknown score.*'el2n'.*Received: 'el3n'"),
        (["--scores", "[{name: vog, evry: 2}]"], "Invalid options of the score 'vog'.*evry"),
        (["--probe.epochs", "1", "--scores", "[vog]"], "at least two checkpoints"),
        (["--training.learning_rate", "1e9"], "Training diverged. Expected a finite loss"),
        (["--model.name", "keras_pruning.models:mlp2"], "Cannot import the model"),
        (["--model.name", "resnet"], "Unknown model"),
        (["--dataset.fraction", "1.5"], r"Invalid `dataset.fraction`. Expected.*\(0, 1\]"),
        (["--dataset.fraction", "0.0001"], "keeps at least one example"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_mistakes_in_a_config(arguments, message, capsys, tmp_path):
    shared = ["--probe.epochs", 2, "--model.name", "mlp", "--output", tmp_path / "deep" / "out"]
    assert re.search(message, fails(capsys, tmp_path, "score", *shared, *arguments))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datset: {name: digits}", "datset"),
        ("dataset: {nam: digits}", "dataset.nam"),
        ("training: {epochs: 1.5}", "training.epochs"),
        ("training: [epochs, 1", "parsing"),
        ("sweep: {keep_fractions: [0]}", "Invalid `sweep.keep_fractions`"),
        ("sweep: {methods: [{by: el2n, policy: harder}]}", "Unknown policy"),
        ("sweep: {methods: [aum]}", "score that is not taken. Expected `by` among.*'aum'"),
    ],
)
def test_mistakes_in_a_yaml_file(text, message, capsys, tmp_path):
    (tmp_path / "wrong.yaml").write_text(text)
    arguments = ["--config", tmp_path / "wrong.yaml", "--output", tmp_path / "out"]
    assert re.search(message, fails(capsys, tmp_path, "sweep", *arguments))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": bad_pixels(np.nan)}, "Invalid values in `x`.*NaN or infinity.*position 17"),
        ({"x_train": bad_pixels(np.inf)}, "Invalid values in `x`.*NaN or infinity.*position 17"),
        ({"x_train": np.zeros((40, 6, 6, 1), int)}, "Invalid dtype of `x`.*int64"),
        ({"y_train": np.arange(39) % 3}, "Lengths differ.*40 in x, 39 in y"),
        ({"y_train": np.arange(40) % 3 - 1}, "Labels outside the classes.*Received: -1"),
        ({"y_test": np.arange(9)}, r"Labels outside the classes.*0 … 2. Received: 3"),
        ({"y_train": np.eye(3, dtype=int)[np.arange(40) % 3]}, "Invalid labels.*One-hot"),
        ({"y_train": np.arange(40) / 2}, "Invalid labels `y`. Expected integers"),
        ({"x_test": np.zeros((9, 5, 5, 1), "float32")}, "Training and test examples differ"),
    ],
)
def test_mistakes_in_the_data(changes, message, capsys, tmp_path):
    name = npz(tmp_path / "data.npz", **changes)
    arguments = ["--dataset.name", name, "--model.name", "mlp", "--output", tmp_path / "out"]
    assert re.search(message, fails(capsys, tmp_path, "train", *arguments))


def test_a_model_with_the_wrong_number_of_classes(capsys, tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text(
        "import keras\n"
        "def net(shape, classes):\n"
        "    return keras.Sequential("
        "[keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes + 1)])\n"
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["--model.name", "nets:net", "--output", tmp_path / "out"]
    message = fails(capsys, tmp_path, "score", *arguments)
    assert "does not fit the examples. Expected one output of shape (None, 10)" in message
    assert "Received: (None, 11)" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "grand"], "Unknown score in this table. Expected one of.*'el2n'.*'grand'"),
        (["--by", "el2n", "--policy", "harder"], "Unknown policy.*'hardest'.*Received: 'harder'"),
        (["--by", "el2n", "--quota", "equal"], "Unknown quota.*'balanced'.*Received: 'equal'"),
        (["--by", "el2n", "--keep-fraction", "0"], "Invalid `keep_fraction`.*Received.*0"),
        (["--by", "el2n", "--keep-fraction", "1.5"], "Invalid `keep_fraction`.*Received.*1.5"),
        (["--by", "el2n", "--keep-fraction", "0.001"], "keeps at least one example of 287"),
        (["--by", "el2n", "--keep-fraction", "half"], r"keep.fraction(.|\n)*float.*half"),
        ([], "policy 'hardest' needs a score"),
        (["--by", "el2n", "--scores", "nowhere.parquet"], "Missing file.*nowhere.parquet"),
    ],
)
def test_mistakes_in_prune(arguments, message, scores, capsys, tmp_path):
    shared = ["--scores", scores, "--keep-fraction", 0.5, "--output", tmp_path / "deep" / "s"]
    assert re.search(message, fails(capsys, tmp_path, "prune", *shared, *arguments))


def test_a_truncated_score_table(scores, capsys, tmp_path):
    (tmp_path / "cut.parquet").write_bytes(scores.read_bytes()[:-20])
    arguments = ["--by", "el2n", "--keep-fraction", 0.5, "--output", tmp_path / "s"]
    message = fails(capsys, tmp_path, "prune", "--scores", tmp_path / "cut.parquet", *arguments)
    assert "Cannot read" in message
    assert "truncated" in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--dataset.fraction", 0.3], "Expected fraction=0.3.*Received: fraction=0.2"),
        (["--dataset.seed", 1], "Expected seed=1.*Received: seed=0"),
        (["--dataset.name", "NPZ"], "Expected source='npz'.*Received: source='digits'"),
    ],
)
def test_a_subset_of_other_data(changes, message, workplace, scores, capsys, tmp_path):
    subset = tmp_path / "subset.parquet"
    arguments = ["--by", "el2n", "--keep-fraction", 0.5, "--output", subset]
    assert run("prune", "--scores", scores, *arguments) == 0
    capsys.readouterr()
    if "NPZ" in changes:
        changes = ["--dataset.name", npz(tmp_path / "data.npz")]
    arguments = ["--config", workplace / "small.yaml", "--subset", subset, *changes]
    shown = fails(capsys, tmp_path, "train", *arguments, "--output", tmp_path / "out")
    assert re.search(f"This subset was taken on other examples. {message}", shown)


def test_an_output_with_results_of_another_recipe(workplace, scores, capsys):
    arguments = ["--config", workplace / "small.yaml", "--output", scores.parent]
    message = fails(capsys, scores.parent, "score", *arguments, "--probe.epochs", 5)
    assert "holds the result of another recipe. Nothing was overwritten." in message
    assert "probe.epochs: there 4, asked for 5" in message
    assert "Choose another --output" in message


def test_an_output_with_something_else_in_it(workplace, capsys, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    arguments = ["--config", workplace / "small.yaml", "--output", tmp_path / "out"]
    assert "is not empty" in fails(capsys, tmp_path, "train", *arguments)


def test_without_tensorflow(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = fails(capsys, tmp_path, "score", "--output", tmp_path / "out")
    assert "TensorFlow is not installed" in message
    assert "keras_pruning[tensorflow]" in message
    assert message.count("\n") == 1


def test_compare_without_runs(capsys, tmp_path):
    assert "No finished runs" in fails(capsys, tmp_path, "compare", "--runs", tmp_path)
    assert "No finished runs" in fails(capsys, tmp_path, "compare", "--runs", tmp_path / "x")


def test_no_command_and_unknown_commands(capsys, tmp_path):
    fails(capsys, tmp_path)
    fails(capsys, tmp_path, "skore")
