"""What a result depends on is in its recipe, and seeds go where they belong."""

import csv
import dataclasses
import json
import re

import keras
import numpy as np
import pytest
from support import small
from support.small import run

import keras_pruning as kp
from keras_pruning.comparison import sweep
from keras_pruning.config import (
    Config,
    DatasetConfig,
    ModelConfig,
    ProbeConfig,
    SweepConfig,
    TrainingConfig,
)
from keras_pruning.probing import probes as probe
from keras_pruning.probing import scoring
from keras_pruning.scores import SCORES
from keras_pruning.training import fit
from keras_pruning.training import run as training_run
from keras_pruning.training.run import TrainingRun

MLP = ModelConfig("mlp", 8)


@pytest.fixture
def config():
    return Config(
        dataset=DatasetConfig(fraction=0.1),
        model=MLP,
        probe=ProbeConfig(epochs=2),
        scores=["el2n"],
        training=TrainingConfig(epochs=1),
    )


def the_run(config, **changes):
    examples, test = training_run.load_both(config)
    fields = {
        "config": config,
        "subset": None,
        "seed": 0,
        "folder": None,
        "examples": examples.provenance,
        "test_examples": test.provenance,
        "threads": 1,
    }
    return TrainingRun(**{**fields, **changes})


def subset(kept):
    mask = np.arange(144) < kept
    return kp.Subset([str(row) for row in range(144)], np.zeros(144, int), mask)


def test_a_training_run_depends_on_all_that_changes_it(config):
    recipe = the_run(config).recipe
    assert the_run(config).recipe == recipe
    changed = [
        the_run(dataclasses.replace(config, model=ModelConfig("mlp", 9))),
        the_run(dataclasses.replace(config, training=TrainingConfig(epochs=2))),
        the_run(dataclasses.replace(config, dataset=DatasetConfig(fraction=0.2))),
        the_run(config, seed=1),
        the_run(config, threads=2),
        the_run(config, save_model=False),
        the_run(config, test_examples={"fingerprint": "other"}),
        the_run(config, subset=subset(10)),
    ]
    for other in changed:
        assert other.recipe != recipe
    # Two subsets of one selection, from scores that differ.
    pair = [the_run(config, subset=subset(10)), the_run(config, subset=subset(10))]
    pair[1].subset.mask = pair[1].subset.mask[::-1]
    assert pair[0].recipe["selection"] == pair[1].recipe["selection"]
    assert pair[0].recipe != pair[1].recipe


def test_scores_depend_on_all_that_changes_them(config, tmp_path):
    recipe = scoring.find_scores(config, tmp_path)[1]
    changed = [
        {"model": ModelConfig("mlp", 9)},
        {"dataset": DatasetConfig(fraction=0.2)},
        {"probe": ProbeConfig(epochs=3)},
        {"probe": ProbeConfig(epochs=2, seeds=2)},
        {"probe": ProbeConfig(epochs=2, threads=7)},
        {"scores": [{"name": "el2n", "epoch": 2}]},
        {"scores": [{"name": "el2n", "seeds": [1]}]},
        {"training": TrainingConfig(batch_size=64)},
        {"seed": 1},
    ]
    for change in changed:
        assert scoring.find_scores(dataclasses.replace(config, **change), tmp_path)[1] != recipe
    same = {"training": TrainingConfig(epochs=50, budget="epochs")}
    assert scoring.find_scores(dataclasses.replace(config, **same), tmp_path)[1] == recipe


def test_seeds_of_one_score_count_from_the_seed_of_the_config(config):
    changed = dataclasses.replace(
        config, scores=[{"name": "el2n", "seeds": 2}, {"name": "vog"}], seed=5
    )
    expected = {5: [{"name": "el2n"}, {"name": "vog"}], 6: [{"name": "el2n"}]}
    assert probe.scores_of_each_seed(changed) == expected


def test_another_model_under_the_same_name_is_another_recipe(capsys, tmp_path):
    path = tmp_path / "model.keras"
    shared = ["--dataset.fraction", 0.1, "--probe.epochs", 2, "--scores", "[el2n]"]
    shared += ["--model.name", path, "--output", tmp_path / "out"]
    for units, code in ((4, 0), (4, 0), (5, 2)):
        layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(units)]
        if units == 5 or not path.exists():
            keras.Sequential([*layers, keras.layers.Dense(10)]).save(path)
        assert run("score", *shared) == code
    assert "model_source" in capsys.readouterr().err


def test_probes_and_retraining_draw_from_their_own_streams(config, tmp_path, monkeypatch):
    seeds = []
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    probe.score_with_probe(config, 3, [{"name": "el2n"}])
    assert seeds == [fit.derived_seed("probe", 3)]
    training_run.run_training(the_run(config, seed=3, folder=tmp_path / "run"))
    assert seeds[1:] == [fit.derived_seed("training", 3)]


def test_a_run_without_metrics_is_not_finished(config, tmp_path):
    run = the_run(config, folder=tmp_path / "run")
    assert not run.is_finished()
    training_run.run_training(run)
    assert run.is_finished()
    (tmp_path / "run" / "metrics.json").unlink()
    with pytest.raises(kp.InputError, match="is not empty and contains no finished run"):
        run.is_finished()


def test_ties_of_proportional_shares_go_to_random_classes():
    from keras_pruning.examples.fractions import proportional

    winners = {
        int(np.argmax(proportional(np.full(3, 10), 4, np.random.default_rng(seed))))
        for seed in range(30)
    }
    assert winners == {0, 1, 2}


def test_a_comparison_does_not_delete_what_is_not_its_own(capsys, tmp_path, workplace):
    output = tmp_path / "runs"
    arguments = ["--config", workplace / "small.yaml", "--output", output / "one"]
    assert run("train", *arguments) == 0
    assert run("compare", "--runs", output) == 0
    (output / "comparison" / "thesis.txt").write_text("mine")
    assert run("compare", "--runs", output) == 2
    assert "Received: thesis.txt" in capsys.readouterr().err
    assert (output / "comparison" / "thesis.txt").read_text() == "mine"
    metrics = json.loads((output / "one" / "metrics.json").read_text())
    assert metrics["selection"] is None


def test_the_callback_says_before_training_what_it_cannot_score():
    examples = small.digits(60)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(10)

        def call(self, x):
            return self.dense(keras.ops.reshape(x, (-1, 64)))

    model = Own()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(kp.InputError, match="does not show the order of its layers"):
        small.fit(model, examples, 1, [kp.ScoreCallback(examples, ["prediction_depth"])])
    assert model.optimizer.iterations == 0


def test_all_scores_of_one_fit_each(tmp_path, capsys):
    """Every score of two probes: a column, its standard error, and the mode of its paper."""
    arguments = ["--scores", "all", "--dataset.fraction", 0.1, "--probe.epochs", 3]
    arguments += ["--probe.seeds", 2, "--probe.jobs", 2, "--model.name", "mlp", "--model.width", 8]
    assert run("score", *arguments, "--output", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert f"Scored 144 examples: {', '.join(SCORES)}." in shown
    table = kp.ScoreTable.load(tmp_path / "out" / "scores.parquet")
    assert len(table.names) == 18
    assert table.names == list(table.standard_errors) == list(SCORES)
    with open(tmp_path / "out" / "scores.csv") as file:
        columns = next(csv.reader(file))
    assert columns == ["id", "label", *SCORES, *[f"{name}_se" for name in SCORES]]
    for name in SCORES:
        assert np.ptp(table[name]) > 0, name
        # The probes really differ.
        assert (table.standard_errors[name] > 0).any(), name
        recorded = table.metadata["scores"][name]
        assert recorded["mode"] == SCORES[name].mode, name
        assert recorded["higher_is_harder"] == SCORES[name].higher_is_harder, name
        found = table.metadata["reliability"][name]
        assert found["seeds"] == 2
        assert re.search(rf"^ +{name}  (0\.\d\d of 2|1\.00 of 2|none)", shown, re.MULTILINE)
    assert {table.metadata["scores"][name]["mode"] for name in SCORES} == {"eval", "train"}
    costs = json.loads((tmp_path / "out" / "scoring.json").read_text())["probes"]
    assert [cost["examples_seen"] for cost in costs] == [3 * 144] * 2


def test_an_unknown_score_beside_all(capsys, tmp_path):
    assert run("score", "--scores", "[all, el3n]", "--output", tmp_path / "out") == 2
    assert "Unknown score" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sweep_may_prune_by_any_of_all_scores():
    sweep._require_scored(Config(scores="all", sweep=SweepConfig(methods=["aum", "grand"])))


def test_a_probe_shuffles_by_its_own_seed(config, monkeypatch):
    def stop(*arguments, seed, **options):
        raise RuntimeError(seed)

    monkeypatch.setattr(fit, "train", stop)
    with pytest.raises(RuntimeError, match=str(fit.derived_seed("probe", 3))):
        probe.score_with_probe(config, 3, [{"name": "el2n"}])
