"""Scores of test examples, which no probe trains on."""

import json

import numpy as np
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning.comparison.costs import find_scorings
from keras_pruning.comparison.report import _training_tables

SCORES = "[{name: prediction_depth, k: 5}, el2n, forgetting]"
SETTINGS = ["--probe.split", "test", "--probe.seeds", 1, "--scores", SCORES]


@pytest.fixture(scope="module")
def tested(workplace):
    """A folder with the scores of the test examples, and the model of another run."""
    config = ["--config", workplace / "small.yaml"]
    assert run("score", *config, *SETTINGS, "--output", workplace / "test") == 0
    return workplace


@pytest.mark.slow
def test_the_table_is_of_the_test_examples(tested, capsys):
    table = kp.ScoreTable.load(tested / "test" / "scores.parquet")
    train = kp.load_examples("digits", fraction=0.2)
    test = kp.load_examples("digits", split="test")
    assert table.names == ["prediction_depth", "el2n", "forgetting"]
    np.testing.assert_array_equal(table.ids, test.ids)
    np.testing.assert_array_equal(table.labels, test.labels)
    assert table.metadata["examples"] == test.provenance
    assert table.metadata["support"] == train.provenance
    assert table.metadata["recipe"]["support"] == train.provenance
    assert table.metadata["scores"]["forgetting"]["mode"] == "eval"
    depth = table.metadata["scores"]["prediction_depth"]
    assert depth["support"] == len(train)
    assert sum(row["examples"] for row in depth["accuracy_by_depth"]) == len(test)
    # The probe has trained on the training examples, all of them and no others.
    costs = json.loads((tested / "test" / "scoring.json").read_text())
    assert [probe["examples_seen"] for probe in costs["probes"]] == [4 * len(train)]
    assert list((tested / "test" / "prediction_depth").glob("events.out.tfevents.*"))
    with pytest.raises(kp.InputError, match="split"):
        train.keep(kp.select(table, "el2n", quota="balanced"))


@pytest.mark.slow
def test_the_same_by_checkpoints_in_python(tested, capsys):
    config = ["--config", tested / "small.yaml"]
    assert run("train", *config, "--output", tested / "model") == 0
    capsys.readouterr()
    model = tested / "model" / "model.keras"
    settings = [*config, *SETTINGS, "--checkpoints", model, "--output", tested / "checkpoints"]
    # Nothing can be forgotten at one checkpoint.
    settings += ["--scores", "[{name: prediction_depth, k: 5}, el2n]"]
    assert run("score", *settings) == 0
    shown = capsys.readouterr().out
    assert "Prediction depth, neighbours among 287 examples" in shown
    ours = kp.ScoreTable.load(tested / "checkpoints" / "scores.parquet")
    train = kp.load_examples("digits", fraction=0.2)
    test = kp.load_examples("digits", split="test")
    depth = kp.scores.PredictionDepth(k=5)
    expected = kp.score_checkpoints([model], test, [depth, "el2n"], support=train)
    np.testing.assert_array_equal(ours["prediction_depth"], expected["prediction_depth"])
    np.testing.assert_allclose(ours["el2n"], expected["el2n"], atol=1e-5)
    assert run("score", *settings) == 0


@pytest.mark.slow
def test_a_comparison_shows_scores_of_training_examples(tested):
    """The folder `out` has scores of training examples, `test` those of test examples."""
    # Other tests leave further folders of training scores beside these.
    tables = _training_tables(tested)
    assert tested / "out" in tables and tested / "test" not in tables
    assert {table.metadata["examples"]["split"] for table in tables.values()} == {"train"}
    tables = {tested / "out": tables[tested / "out"]}
    (scoring,) = find_scorings(tables)
    assert scoring.folder == tested / "out"
    assert not _training_tables(tested / "test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "--probe.split", "test"], "`sweep` scores training examples"),
        (["doctor", "--probe.split", "test"], "`doctor` scores training examples"),
        (["score", "--probe.split", "test", "--probe.fraction", 0.5], "probe.fraction: 1"),
    ],
)
def test_refused(arguments, message, tmp_path, capsys):
    assert run(*arguments, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
