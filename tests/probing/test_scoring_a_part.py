"""Scoring a part, by probes, checkpoints and the command line."""

import csv
import dataclasses
import json
import re

import keras
import numpy as np
import pytest
from support import small
from support.carried_by_loops import brute_force
from support.odd_models import headless
from support.small import run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.comparison import report
from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, TrainingConfig
from keras_pruning.probing import extrapolation, work
from keras_pruning.probing.estimates import NEIGHBOURS, over_probes
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.probing.scored_examples import scored_part
from keras_pruning.wrong_labels.examination import examine

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow

EL2N = {"higher_is_harder": True, "over_seeds": "mean"}


# The drivers


def config(fraction=0.5, scores=("el2n", "aum"), **changes):
    return Config(
        dataset=DatasetConfig(fraction=0.2),
        model=ModelConfig("mlp", 8),
        probe=ProbeConfig(epochs=2, fraction=fraction),
        scores=list(scores),
        training=TrainingConfig(epochs=2, batch_size=32, learning_rate=0.02),
        **changes,
    )


def test_a_probe_trains_on_the_part_and_estimates_the_others(monkeypatch):
    models = []
    keep = extrapolation.extrapolate
    monkeypatch.setattr(
        work, "extrapolate", lambda *args, **seed: models.append(args) or keep(*args, **seed)
    )
    examples = kp.load_examples("digits", fraction=0.2)
    part = scored_part(examples, 0.5, 4)
    plan = ScoringPlan.from_config(config(seed=4))
    _, (found, cost) = work.score_with_probe(plan, 4)
    (own, model, _), *_ = models
    assert cost["examples_seen"] == 2 * len(part) == 2 * 144
    np.testing.assert_array_equal(own.ids, part.ids)
    rows = np.flatnonzero(np.isin(examples.ids, part.ids))
    hidden = keras.Model(model.inputs[0], model.layers[-2].output)
    vectors = hidden(examples.stored_inputs(np.arange(len(examples)))).numpy()
    for name in plan.names:
        scores = own[name].astype(float)[:, np.newaxis]
        expected = brute_force(scores, vectors, examples.labels, rows, NEIGHBOURS)
        rest = found.table.extrapolated
        np.testing.assert_array_equal(found.table[name][rows], own[name])
        # Units that are off make a few vectors equal, and ties at rank k are a random draw.
        for estimates, means in (
            (found.table[name][rest], expected[rest, 0]),
            (found.held_out[name], expected[rows, 0]),
        ):
            assert np.isclose(estimates, means, rtol=1e-4, atol=1e-4).mean() > 0.95
    np.testing.assert_array_equal(np.flatnonzero(~found.table.extrapolated), rows)
    np.testing.assert_array_equal(found.held_out.ids, part.ids)
    assert found.table.metadata["examples"] == examples.provenance


@pytest.mark.slow
def test_unscored_examples_do_not_change_the_scores(tmp_path):
    """The scores of the part stay to the last bit, and so do those of other unscored examples."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 3
    part = scored_part(kp.Examples.from_arrays(x, y), 0.5, 0)
    rest = np.setdiff1d(np.arange(60), part.ids.astype(int))
    found = []
    for changed in ([], rest[:10]):
        x[changed] += 1
        np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        dataset = DatasetConfig(f"npz:{tmp_path / 'data.npz'}")
        one = dataclasses.replace(config(scores=["el2n"]), dataset=dataset)
        plan = ScoringPlan.from_config(one)
        found.append(work.score_with_probe(plan, 0)[1][0].table)
    same = np.setdiff1d(np.arange(60), rest[:10])
    first, second = [each["el2n"] for each in found]
    np.testing.assert_array_equal(first[same], second[same])
    assert (first[rest[:10]] != second[rest[:10]]).any()


@pytest.mark.slow
def test_scores_of_every_kind_are_carried_over():
    """Takes scores of gradients, embeddings and the training step. The part is the support."""
    scores = ["forgetting", {"name": "vog", "every": 1}, {"name": "prediction_depth", "k": 5}]
    plan = ScoringPlan.from_config(config(scores=scores))
    table = over_probes([work.score_with_probe(plan, 0)[1][0]], 0.5, 0)
    assert table.names == ["forgetting", "vog", "prediction_depth"]
    assert (len(table), table.extrapolated.sum()) == (287, 143)
    assert table.metadata["scores"]["prediction_depth"]["support"] == 144
    assert table.metadata["scores"]["forgetting"]["mode"] == "train"
    rest = table.extrapolated
    assert (table["forgetting"][~rest] % 1 == 0).all()
    assert (table["forgetting"][rest] % 1 > 0).any()  # means stay means
    assert table.metadata["extrapolation"]["scores"].keys() == set(table.names)


@pytest.mark.slow
def test_with_checkpoints_the_last_one_embeds(tmp_path):
    examples = kp.load_examples("digits", fraction=0.2)
    paths = [tmp_path / "1.keras", tmp_path / "2.keras"]
    for seed, path in enumerate(paths):
        small.network(examples, seed).save(path)
    one = config(scores=["el2n"], seed=5)
    plan = ScoringPlan.from_config(one, paths)
    found, _ = work.score_with_checkpoints(plan)
    part = scored_part(examples, 0.5, 5)
    own = kp.score_checkpoints(paths, part, ["el2n"])
    last = keras.saving.load_model(paths[-1], compile=False)
    expected = extrapolation.extrapolate(own, last, examples).table
    np.testing.assert_array_equal(found.table["el2n"], expected["el2n"])
    np.testing.assert_array_equal(expected["el2n"][~expected.extrapolated], own["el2n"])
    batches = {"scoring_batch_size": 256}
    part_seed = {"fraction": 0.5, "part_seed": 5, "neighbours": NEIGHBOURS, **batches}
    assert plan.recipe["probe"] == part_seed
    everything = ScoringPlan.from_config(dataclasses.replace(one, probe=ProbeConfig()), paths)
    whole = {"fraction": 1.0, "part_seed": None, "neighbours": None, **batches}
    assert everything.recipe["probe"] == whole
    assert isinstance(work.score_with_checkpoints(everything)[0], kp.ScoreTable)


def test_a_hidden_last_layer_is_refused_before_training(tmp_path):
    one = dataclasses.replace(config(), model=ModelConfig("support.odd_models:headless"))
    message = "not find the input of the last layer.*estimated by it. Score all examples"
    with pytest.raises(InputError, match=message):
        work.check_scores(ScoringPlan.from_config(one))
    everything = dataclasses.replace(one, probe=ProbeConfig(epochs=2))
    work.check_scores(ScoringPlan.from_config(everything))
    headless((8, 8, 1), 10).save(tmp_path / "1.keras")
    with pytest.raises(InputError, match=message):
        work.score_with_checkpoints(ScoringPlan.from_config(one, [tmp_path / "1.keras"]))
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(inputs))
    extrapolation.require_extrapolation(keras.Model(inputs, x))


def test_a_final_softmax_does_not_hide_the_last_layer():
    examples = small.digits(60)
    part = scored_part(examples, 0.5, 0)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    own = kp.ScoreTable(part.ids, part.labels, {"own": np.arange(30)}, None, {"scores": {}})
    found = extrapolation.extrapolate(own, model, examples, k=3)
    pixels = examples.stored_inputs(np.arange(60)).reshape(60, -1)
    rows = np.flatnonzero(~found.table.extrapolated)
    scores = np.arange(30.0)[:, np.newaxis]
    expected = brute_force(scores, pixels, examples.labels, rows, 3)[:, 0]
    expected[rows] = np.arange(30)
    np.testing.assert_allclose(found.table["own"], expected, rtol=1e-6)
    with pytest.raises(InputError, match="scores are of other examples.*Received: 30 ids, 3 of"):
        extrapolation.extrapolate(own, model, part.at(slice(3)), k=3)


def test_an_example_alone_in_its_class_keeps_its_score():
    examples = small.random_images(31, classes=2)
    examples.labels = np.array([0] * 30 + [1])
    part = scored_part(examples, 0.5, 0)
    own = kp.ScoreTable(part.ids, part.labels, {"own": np.arange(16)}, None, {"scores": {}})
    found = extrapolation.extrapolate(own, small.plain_network(examples), examples)
    assert found.held_out.ids.tolist() == part.ids[:-1].tolist()
    assert (found.table["own"][-1], found.table.ids[-1]) == (15, part.ids[-1])


def test_the_doctor_wants_all_labels_scored(tmp_path):
    with pytest.raises(InputError, match="labels of all examples.*probe.fraction: 1.*0.5"):
        examine(ScoringPlan.from_config(config()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# The command line

SETTINGS = """
dataset: {name: digits, fraction: 0.2}
model: {name: mlp, width: 8}
probe: {epochs: 2, seeds: 2, jobs: 2, fraction: 0.5}
scores: [el2n]
training: {epochs: 1, batch_size: 32}
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 1, jobs: 2}
seed: 3
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep whose probes score a half."""
    folder = tmp_path_factory.mktemp("extrapolation")
    (folder / "half.yaml").write_text(SETTINGS)
    assert run("sweep", "--config", folder / "half.yaml", "--output", folder / "out") == 0
    return folder


def test_a_sweep_with_a_part(swept):
    table = kp.ScoreTable.load(swept / "out" / "scores.parquet")
    examples = kp.load_examples("digits", fraction=0.2)
    part = scored_part(examples, 0.5, 3)
    np.testing.assert_array_equal(table.ids, examples.ids)
    np.testing.assert_array_equal(table.ids[~table.extrapolated], part.ids)
    assert table.metadata["examples"] == examples.provenance
    expected = {"epochs": 2, "fraction": 0.5, "part_seed": 3, "neighbours": 10}
    expected["scoring_batch_size"] = 256
    assert table.metadata["recipe"]["probe"] == expected
    found = table.metadata["extrapolation"]
    assert (found["fraction"], found["seed"], found["k"]) == (0.5, 3, 10)
    assert (table.standard_errors["el2n"] > 0).mean() > 0.99
    costs = json.loads((swept / "out" / "scoring.json").read_text())["probes"]
    assert [cost["examples_seen"] for cost in costs] == [144] * 2  # one epoch
    runs = {str(path.parent.relative_to(swept / "out")) for path in swept.rglob("metrics.json")}
    methods = ("el2n-extrapolated-hardest/keep-0.50", "random/keep-0.50", "full/keep-1.00")
    assert runs == {f"{method}/seed-3" for method in methods}


def test_the_flags_say_the_same_as_the_config(swept, capsys, caplog):
    settings = ["score", "--config", swept / "half.yaml", "--probe.fraction", 1]
    settings += ["--output", swept / "out"]
    before = (swept / "out" / "scores.parquet").stat().st_mtime_ns
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*settings, "--fraction", 0.5, "--extrapolate") == 0
    assert "Reused" in caplog.text
    shown = capsys.readouterr().out
    assert "Scored 144 of 287 examples: el2n." in shown
    assert "mean of the 10 nearest" in shown
    found = kp.ScoreTable.load(swept / "out" / "scores.parquet").metadata["extrapolation"]
    correlation = found["scores"]["el2n"]["rank_correlation"]
    assert f"el2n  rank correlation {correlation:.3f}, mean absolute error 0." in shown
    assert run(*settings, "--fraction", 0.4, "--extrapolate") == 2
    assert "probe.fraction: recorded 0.5, requested 0.4" in capsys.readouterr().err
    assert run(*settings) == 2
    assert "probe.fraction: recorded 0.5, requested 1" in capsys.readouterr().err
    assert run(*settings[:3], "--extrapolate", "--output", swept / "out") == 0
    assert (swept / "out" / "scores.parquet").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--fraction", 0.2], "Expected --extrapolate beside it.*--dataset.fraction"),
        (["--extrapolate"], "Expected --fraction beside it"),
        (["--fraction", 1.5, "--extrapolate"], r"Expected a float in \(0, 1\].*1.5"),
        (["--fraction", 0.005, "--extrapolate"], "part to score is too small.*--fraction"),
        (["--probe.fraction", 0], "Invalid `probe.fraction`"),
    ],
)
def test_wrong_flags(flags, message, tmp_path, capsys):
    assert run("score", *flags, "--output", tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert re.search(message, captured.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_full_and_extrapolated_scores_are_compared_in_one_folder(swept, capsys):
    examples = kp.load_examples("digits", fraction=0.2)
    metadata = {"examples": examples.provenance, "scores": {"el2n": EL2N}}
    values = np.random.default_rng(0).random(len(examples))
    full = kp.ScoreTable(examples.ids, examples.labels, {"el2n": values}, None, metadata)
    full.save(swept / "out" / "all" / "scores.parquet")
    subset = swept / "subset.parquet"
    kp.select(full, "el2n", 0.5, seed=3).save(subset)
    arguments = ["--config", swept / "half.yaml", "--subset", subset]
    folder = swept / "out" / "el2n-hardest" / "keep-0.50" / "seed-3"
    assert run("train", *arguments, "--output", folder) == 0
    assert run("compare", "--runs", swept / "out") == 0
    with open(swept / "out" / "comparison" / "comparison.csv") as file:
        methods = [row["method"] for row in csv.DictReader(file)]
    assert methods == ["full", "random", "el2n-extrapolated-hardest", "el2n-hardest"]
    assert "on 50 % of the examples" in capsys.readouterr().out
    # Of two tables of the same examples, the one with scores of their own is shown.
    (shown,) = report._score_tables(report._training_tables(swept / "out")).values()
    np.testing.assert_array_equal(shown["el2n"], full["el2n"])
