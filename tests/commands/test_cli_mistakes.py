"""Every mistake a user can make: one message, exit code 2, nothing left behind."""

import re

import numpy as np
import pytest
from support.mistakes import fails, npz
from support.small import run


def bad_pixels(value):
    x = np.zeros((40, 6, 6, 1), "float32")
    x[17, 2, 3] = value
    return x


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset.name", "digit"], "Unknown data set.*'idx:DIR'.*Received: 'digit'"),
        (["--dataset.nam", "digits"], "dataset.nam"),
        (["--probe.epochs", "many"], "Invalid `probe.epochs`. Expected an integer. Received: many"),
        (
            ["--training.budget", "time"],
            "budget`. Expected one of 'steps', 'epochs'. Received: time",
        ),
        (["--scores", "[el3n]"], "Unknown score.*'el2n'.*Received: 'el3n'"),
        (["--scores", "[{name: vog, evry: 2}]"], "Invalid options of the score 'vog'.*evry"),
        (["--probe.epochs", "1", "--scores", "[vog]"], "at least two checkpoints"),
        pytest.param(
            ["--training.learning_rate", "1e9"],
            "Training diverged. Expected a finite loss",
            marks=pytest.mark.slow,
        ),
        (["--model.name", "keras_pruning.models.networks:mlp2"], "Cannot import the model"),
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
        ("training: [epochs, 1", "Cannot read the config .*, line 1, column 21. Expected YAML"),
        ("sweep: {keep_fractions: [0]}", "Invalid `sweep.keep_fractions`"),
        ("sweep: {methods: [{by: el2n, policy: harder}]}", "Unknown policy"),
        ("sweep: {methods: [aum]}", "score that is not taken. Expected `by` among.*'aum'. Add it"),
        ("sweep: {methods: [infobatch]}", "not taken.*'infobatch'. Write {dynamic: infobatch}"),
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
        ({"x_train": np.zeros((40, 6, 6, 1), complex)}, "Invalid dtype of `x`.*complex128"),
        ({"y_train": np.arange(39) % 3}, "Lengths differ.*40 in x, 39 in y"),
        ({"y_train": np.arange(40) % 3 - 1}, "Labels outside the classes.*Received: -1"),
        ({"y_test": np.arange(9)}, r"Labels outside the classes.*0 … 2. Received: 3"),
        ({"y_train": np.tri(3, dtype=int)[np.arange(40) % 3]}, "Invalid labels.*Several labels"),
        ({"y_train": np.arange(40) / 2}, "Invalid labels `y`. Expected class numbers"),
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
        (
            ["--by", "el2n", "--keep-fraction", "half"],
            "Invalid `keep_fraction`. Expected a number. Received: half",
        ),
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
    assert re.search(f"This subset was made from other examples. {message}", shown)


def test_an_output_with_results_of_another_recipe(workplace, scores, capsys):
    arguments = ["--config", workplace / "small.yaml", "--output", scores.parent]
    message = fails(capsys, scores.parent, "score", *arguments, "--probe.epochs", 5)
    assert "holds the result of another recipe. Nothing was overwritten." in message
    assert "probe.epochs: recorded 4, requested 5" in message
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


def test_an_output_that_cannot_be_made(scores, capsys, tmp_path):
    arguments = ["--scores", scores, "--by", "el2n", "--keep-fraction", 0.5]
    message = fails(capsys, tmp_path, "prune", *arguments, "--output", tmp_path / ("x" * 300))
    assert "File name too long" in message


def test_a_binary_file_as_config(capsys, tmp_path):
    (tmp_path / "binary.yaml").write_bytes(bytes(range(128, 256)))
    fails(capsys, tmp_path, "score", "--config", tmp_path / "binary.yaml")
