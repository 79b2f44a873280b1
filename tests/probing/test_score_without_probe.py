"""`score` with embeddings of the user's own: no probe is trained for them."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
from support.mistakes import fails
from support.small import digits, run

import keras_pruning as kp
from keras_pruning.config import Config
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import file_digest, require_same_recipe
from keras_pruning.scores import Prototype
from keras_pruning.training import fit


@pytest.fixture
def file(tmp_path):
    """Vectors of all 1,437 training digits."""
    path = tmp_path / "features.npy"
    np.save(path, np.random.default_rng(0).normal(size=(1437, 5)).astype("float32"))
    return path


@pytest.fixture
def no_training(in_this_process, monkeypatch):
    def train(*arguments, **options):
        raise AssertionError("A probe was trained.")

    monkeypatch.setattr(fit, "train", train)


def arguments(file, *more, others=""):
    entry = f"{{name: prototype, embedding: {file}, centroids: kmeans}}"
    shared = ["--dataset.fraction", 0.1, "--model.name", "mlp", "--probe.epochs", 2]
    shared += ["--output", file.parent / "out"]
    return ["score", *shared, "--scores", f"[{others}{entry}]", *more]


def recorded(file):
    """Returns the score table and the costs of the probes."""
    cost = json.loads((file.parent / "out" / "scoring.json").read_text())
    return kp.ScoreTable.load(file.parent / "out" / "scores.parquet"), cost["probes"]


def test_label_free_without_a_probe(file, capsys, caplog):
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*arguments(file, "--probe.seeds", 3, "--probe.jobs", 2)) == 0
    assert "Training and scoring, probes: 0" in caplog.text
    shown = capsys.readouterr().out
    assert "Scored 144 examples: prototype." in shown
    assert "Reliability" not in shown
    table, costs = recorded(file)
    assert [(cost["seed"], cost["examples_seen"]) for cost in costs] == [(0, 0)]
    assert costs[0]["seconds"] > 0
    assert (costs[0]["examples_forward"], costs[0]["flops"]) == (0, 0)
    expected = kp.score_checkpoints([], digits(144), [Prototype("kmeans", embedding=file)])
    np.testing.assert_array_equal(table.ids, expected.ids)
    np.testing.assert_allclose(table["prototype"], expected["prototype"], rtol=1e-5)
    assert table.standard_errors == {}
    assert table.metadata["scores"]["prototype"]["mode"] == "eval"


def test_reused_wherever_it_lies_and_never_if_it_changed(file, no_training, capsys, caplog):
    assert run(*arguments(file)) == 0
    assert run(*arguments(file)) == 0
    (file.parent / "elsewhere").mkdir()
    moved = file.parent / "elsewhere" / "features.npy"
    shutil.move(file, moved)
    output = ["--output", file.parent / "out"]
    assert run(*arguments(moved, *output)) == 0
    assert caplog.text.count("Reused") == 2
    capsys.readouterr()
    vectors = np.load(moved)
    vectors[700, 3] += 1e-3
    np.save(moved, vectors)
    message = fails(capsys, file.parent, *arguments(moved, *output))
    assert "holds the result of another recipe. Nothing was overwritten." in message
    assert re.search(r'embeddings: recorded \[\["features.npy", "\w{32}"\]\], requested', message)


@pytest.mark.parametrize("more", [[], pytest.param(["--probe.seeds", 2], marks=pytest.mark.slow)])
def test_a_probe_for_the_other_scores_only(more, file, in_this_process, caplog):
    assert run(*arguments(file, *more, others="el2n, {name: loss, seeds: [0]}, ")) == 0
    seeds = 2 if more else 1
    assert f"Training and scoring, probes: {seeds}," in caplog.text
    table, costs = recorded(file)
    # `loss` is of the last of the two epochs, `el2n` of the first.
    assert [cost["examples_seen"] for cost in costs] == [288, 144][:seeds]
    assert list(table.standard_errors) == ["el2n"][: seeds - 1]
    expected = kp.score_checkpoints([], digits(144), [Prototype("kmeans", embedding=file)])
    np.testing.assert_array_equal(table["prototype"], expected["prototype"])


@pytest.mark.slow
def test_a_probe_where_only_a_part_is_scored(file, in_this_process):
    """The probe finds the neighbours. The rows of the part are taken from the file."""
    assert run(*arguments(file, "--fraction", 0.5, "--extrapolate")) == 0
    table, costs = recorded(file)
    assert [cost["examples_seen"] for cost in costs] == [2 * 72]
    part = digits(144).draw(0.5)
    expected = kp.score_checkpoints([], part, [Prototype("kmeans", embedding=file)])
    np.testing.assert_array_equal(table.ids[~table.extrapolated], expected.ids)
    np.testing.assert_array_equal(table["prototype"][~table.extrapolated], expected["prototype"])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("nowhere.npy", lambda path: None, "Missing embedding file. Expected.*nowhere.npy"),
        ("short.npy", lambda path: np.save(path, np.ones((100, 3))), "Expected 144 rows.*1437"),
        ("bad.keras", lambda path: path.write_bytes(b"PK"), "Cannot load the model .*bad.keras"),
        ("x.txt", lambda path: path.write_text("1"), "Invalid `embedding`. Expected the path"),
    ],
)
def test_mistakes_before_any_probe_trains(name, change, message, file, no_training, capsys):
    path = file.with_name(name)
    change(path)
    capsys.readouterr()
    shown = fails(capsys, file.parent, *arguments(path, others="el2n, "))
    assert re.search(message, shown)
    assert shown.count("\n") == 1


def test_more_clusters_than_examples_before_any_probe_trains(file, no_training, capsys):
    entry = f"{{name: prototype, embedding: {file}, centroids: kmeans, clusters: 145}}"
    command = [*arguments(file), "--scores", f"[el2n, {entry}]"]
    assert "Too many clusters. Expected at most 144" in fails(capsys, file.parent, *command)


def test_beside_saved_models(file, in_this_process, capsys):
    model = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(model).save(file.with_name("epoch-1.keras"))
    checkpoints = ["--checkpoints", file.with_name("*.keras")]
    assert run(*arguments(file, *checkpoints, others="el2n, ")) == 0
    table, _ = recorded(file)
    assert table.names == ["el2n", "prototype"]
    ((name, digest),) = table.metadata["recipe"]["embeddings"]
    assert (name, len(digest)) == ("features.npy", 32)
    np.save(file, np.load(file)[::-1])
    assert run(*arguments(file, *checkpoints, others="el2n, ")) == 2
    assert "embeddings: recorded" in capsys.readouterr().err


def test_older_recipes_without_embeddings_have_none(file):
    plan = ScoringPlan.from_config(Config(scores=["prototype"]))
    assert plan.recipe["scores_of_each_seed"] == {0: [{"name": "prototype"}]}
    older = {key: value for key, value in plan.recipe.items() if key != "embeddings"}
    require_same_recipe("out", older, plan.recipe)
    other = {**plan.recipe, "embeddings": [["features.npy", file_digest(file)]]}
    with pytest.raises(kp.InputError, match=r"embeddings: recorded \[\], requested \[\["):
        require_same_recipe("out", older, other)
