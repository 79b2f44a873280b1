"""The list of suspects that the doctor has left, for the page of `score`."""

import logging

import numpy as np
import pytest
from support.scored import table

import keras_pruning as kp
from keras_pruning.storage import write_json
from keras_pruning.tables import parquet
from keras_pruning.wrong_labels.finished_suspects import finished_suspects
from keras_pruning.wrong_labels.suspects import KIND


@pytest.fixture
def examples():
    return kp.Examples.from_arrays(np.zeros((5, 2, 2, 1)), [0, 1, 0, 1, 0])


@pytest.fixture
def output(examples, tmp_path):
    """A folder with the files of the doctor: rows 0, 1 and 4 are contradicted."""
    clean = tmp_path / "doctor" / "clean"
    scores = table(examples.labels, {"aum": [3.0, 1, 0, 5, 2]}, higher=False, examples=examples)
    scores.save(clean / "scores.parquet")
    predicted, share = np.array([1, 0, 0, 1, 1]), np.array([1, 0.5, 1, 1, 1])
    columns = {"id": examples.ids, "label": examples.labels, "predicted": predicted, "share": share}
    parquet.write(clean / "predictions.parquet", KIND, columns, {})
    (tmp_path / "doctor" / "suspects").mkdir()
    recipe = {"suspects": 2, "ranked_by": "aum"}
    write_json(tmp_path / "doctor" / "suspects" / "recipe.json", recipe)
    return tmp_path


def test_the_hardest_of_the_contradicted(examples, output):
    suspects = finished_suspects(output, examples)
    assert (suspects.rows.tolist(), suspects.score) == ([1, 4], "aum")
    assert suspects.columns()["predicted"].tolist() == [0, 1]
    assert suspects.columns()["probes_agree"].tolist() == [0.5, 1]


def test_no_list_is_no_error(examples, tmp_path, caplog):
    assert finished_suspects(tmp_path / "nowhere", examples) is None
    assert caplog.messages == []


@pytest.mark.parametrize("damage", ["other examples", "no predictions", "other score"])
def test_a_list_that_does_not_fit_is_left_out(damage, examples, output, caplog):
    if damage == "other examples":
        examples = kp.Examples.from_arrays(np.ones((5, 2, 2, 1)), [0, 1, 0, 1, 0])
    elif damage == "no predictions":
        (output / "doctor" / "clean" / "predictions.parquet").unlink()
    else:
        write_json(output / "doctor" / "suspects" / "recipe.json", {"suspects": 2})
    with caplog.at_level(logging.INFO, "keras_pruning"):
        assert finished_suspects(output, examples) is None
    (message,) = caplog.messages
    assert "are left out" in message and "Expected" in message
