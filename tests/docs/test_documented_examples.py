"""The documented examples run as they stand, with the documented results."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning.cli import make_parser
from keras_pruning.models import loading
from keras_pruning.scores import SCORES

ROOT = Path(__file__).parents[2]
OWN_TRAINING = ROOT / "docs" / "own_training.md"


def run_blocks(path, namespace):
    """Runs every Python block of a Markdown file, in order, in one namespace.

    Returns:
        What they printed, `(text, ...)`, the progress of fits left out, and the same as the file
        says it in comments behind `print(...)`.
    """
    text, printed = path.read_text(), io.StringIO()
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert blocks
    for block in blocks:
        # Line numbers of the file, so that a traceback shows the line that is out of date.
        lines_before = "\n" * text[: block.start(1)].count("\n")
        with contextlib.redirect_stdout(printed):
            exec(compile(lines_before + block[1], str(path), "exec"), namespace)
    said = re.findall(r"^print\(.*\)  # (\w+)", text, re.MULTILINE)
    return [line for line in printed.getvalue().splitlines() if line in SAID], said


SAID = ("eval", "train")


class Documented:
    """The results of `docs/own_training.md`: a folder, its variables, its command lines."""

    def __init__(self, folder):
        self.folder, self.variables = folder, {}
        with contextlib.chdir(folder):
            self.printed, self.said = run_blocks(OWN_TRAINING, self.variables)

    def command(self, containing):
        """The arguments of the command line that contains a text."""
        lines = re.findall(r"^python cli\.py (.*)$", OWN_TRAINING.read_text(), re.MULTILINE)
        (line,) = [line for line in lines if containing in line]
        return shlex.split(line)

    def modes(self, table):
        scores = self.variables[table].metadata["scores"]
        return {name: scores[name]["mode"] for name in scores}


@pytest.fixture(scope="module")
def own_training(tmp_path_factory):
    return Documented(tmp_path_factory.mktemp("own_training"))


@pytest.mark.slow
def test_a_plain_fit(own_training):
    examples, table = own_training.variables["examples"], own_training.variables["table"]
    assert table.names == ["el2n", "vog", "forgetting", "aum"]
    assert set(own_training.modes("table").values()) == {"eval"}
    np.testing.assert_array_equal(table.ids, examples.ids)
    saved = kp.ScoreTable.load(own_training.folder / "scores.parquet")
    for name in table.names:
        np.testing.assert_array_equal(saved[name], table[name])
    smaller = own_training.variables["smaller"]
    assert f"{len(smaller):,} examples to train on" in OWN_TRAINING.read_text()
    assert table["el2n"][own_training.variables["subset"].mask].min() >= np.quantile(
        table["el2n"], 0.29
    )


@pytest.mark.slow
def test_an_own_train_step(own_training):
    mixup = own_training.variables["mixup"]
    assert type(mixup).train_step is not keras.Model.train_step
    table = own_training.variables["mixup_table"]
    assert table.names == ["el2n", "forgetting"]
    assert set(own_training.modes("mixup_table").values()) == {"eval"}
    assert table.metadata["scores"]["forgetting"]["epochs"] == [1, 2, 3, 4]
    # The plain examples of the first epoch's end, not mixtures: it has learned something.
    assert 0.1 < table["el2n"].mean() < 1.2


@pytest.mark.slow
def test_train_mode_without_a_further_pass(own_training):
    modes = own_training.modes("recorded_table")
    assert modes == {"forgetting": "train", "aum": "train", "confidence": "train", "el2n": "eval"}
    trained = loading.load(own_training.folder / "trained.keras")
    x = own_training.variables["x_train"]
    right = trained.predict(x, verbose=0).argmax(axis=1) == own_training.variables["y_train"]
    assert right.mean() > 0.8
    assert own_training.printed == own_training.said == ["eval", "train", "eval"]


@pytest.mark.slow
def test_checkpoints_that_keras_saved(own_training):
    saved = sorted(path.name for path in (own_training.folder / "checkpoints").iterdir())
    assert saved == [f"epoch-{epoch:02d}.keras" for epoch in (1, 2, 3, 4)]
    assert own_training.variables["paths"] == [Path("checkpoints") / name for name in saved]
    scores = own_training.variables["checkpoint_table"].metadata["scores"]
    assert scores["el2n"]["epochs"] == [1]
    assert scores["vog"]["epochs"] == [1, 2, 3, 4]
    assert set(own_training.modes("checkpoint_table").values()) == {"eval"}
    assert own_training.variables["own_table"].names == ["loss", "prediction_depth"]


@pytest.mark.slow
def test_the_same_on_the_command_line(own_training, capsys):
    with contextlib.chdir(own_training.folder):
        assert run(*own_training.command("digits.npz")) == 0
    assert "Scored 1,500 examples: el2n, vog." in capsys.readouterr().out
    output = own_training.folder / "runs" / "checkpoints"
    files = {path.name for path in output.iterdir()}
    assert files == {"scores.parquet", "scores.csv", "scoring.json"}
    table = kp.ScoreTable.load(output / "scores.parquet")
    expected = own_training.variables["checkpoint_table"]
    for name in ("el2n", "vog"):
        # Another process may have another number of threads, and so other last bits.
        np.testing.assert_allclose(table[name], expected[name], atol=1e-3)


@pytest.mark.slow
def test_a_config_on_the_command_line_is_read(own_training, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = own_training.command("--config")
    parser = make_parser()
    values = parser.instantiate(parser.parse_args(arguments))["score"]
    assert values.dataset.name == "digits"
    assert values.scores == ["el2n", "vog"]
    assert values.checkpoints == "checkpoints/*.keras"


def test_the_scores_of_train_mode_are_named():
    text = OWN_TRAINING.read_text()
    sentence = re.search(r"The papers of (.*?) mean something else", text, re.DOTALL)[1]
    named = re.findall(r"`(\w+)`", sentence)
    assert sorted(named) == sorted(name for name in SCORES if SCORES[name].mode == "train")
    assert "scores named above" in text


def test_readme(tmp_path):
    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(3),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = rng.normal(size=(90, 6)).astype("float32"), np.arange(90) % 3
    namespace = {"x_train": x, "y_train": y, "model": model}
    with contextlib.chdir(tmp_path):
        run_blocks(ROOT / "README.md", namespace)
    names = ["el2n", "vog", "prediction_depth"]
    assert kp.ScoreTable.load(tmp_path / "scores.parquet").names == names
    assert len(namespace["smaller"]) == 45
    assert model.optimizer.iterations == 10 * 2
