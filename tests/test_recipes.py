"""Recipes hold everything that a result depends on, and seeds go where they belong."""

import csv
import dataclasses
import json
import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from support import small
from support.small import run

import keras_pruning as kp
import keras_pruning.probing.work
import keras_pruning.training.work
from keras_pruning.comparison import sweep
from keras_pruning.config import (
    Config,
    DatasetConfig,
    ModelConfig,
    ProbeConfig,
    SweepConfig,
    TrainingConfig,
)
from keras_pruning.examples.splits import Splits
from keras_pruning.probing import probes, scoring, work
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import differing
from keras_pruning.scores import SCORES
from keras_pruning.training import fit
from keras_pruning.training.run import TrainingPlan, TrainingRun

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


def the_run(config, subset=None, seed=0, folder=None, **changes):
    """Returns a `TrainingRun` whose plan has some attributes changed."""
    plan = dataclasses.replace(TrainingPlan.from_config(config), **{"threads": 1, **changes})
    return TrainingRun(plan, subset, seed, folder)


def subset(kept):
    mask = np.arange(144) < kept
    return kp.Subset([str(row) for row in range(144)], np.zeros(144, int), mask)


def test_a_training_run_depends_on_all_that_changes_it(config):
    recipe = the_run(config).recipe
    assert the_run(config).recipe == recipe
    splits = Splits("digits", fraction=0.1)
    other_test = SimpleNamespace(train=splits.train, test=splits.test.draw(0.5), drawn=splits.drawn)
    changed = [
        the_run(dataclasses.replace(config, model=ModelConfig("mlp", 9))),
        the_run(dataclasses.replace(config, training=TrainingConfig(epochs=2))),
        the_run(dataclasses.replace(config, dataset=DatasetConfig(fraction=0.2))),
        the_run(config, seed=1),
        the_run(config, threads=2),
        the_run(config, save_models=False),
        the_run(config, data=other_test),
        the_run(config, subset=subset(10)),
    ]
    for other in changed:
        assert other.recipe != recipe
    # Two subsets of one selection, from scores that differ.
    pair = [the_run(config, subset=subset(10)), the_run(config, subset=subset(10))]
    pair[1].subset.mask = pair[1].subset.mask[::-1]
    assert pair[0].recipe["selection"] == pair[1].recipe["selection"]
    assert pair[0].recipe != pair[1].recipe


def test_scores_depend_on_all_that_changes_them(config):
    recipe = ScoringPlan.from_config(config).recipe
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
        other = dataclasses.replace(config, **change)
        assert ScoringPlan.from_config(other).recipe != recipe
    same = {"training": TrainingConfig(epochs=50, budget="epochs")}
    assert ScoringPlan.from_config(dataclasses.replace(config, **same)).recipe == recipe


def test_seeds_of_one_score_count_from_the_seed_of_the_config(config):
    changed = dataclasses.replace(
        config, scores=[{"name": "el2n", "seeds": 2}, {"name": "vog"}], seed=5
    )
    expected = {5: [{"name": "el2n"}, {"name": "vog"}], 6: [{"name": "el2n"}]}
    assert ScoringPlan.from_config(changed).scores_of_each_seed == expected


@pytest.mark.slow
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


@pytest.mark.slow
def test_probes_and_retraining_draw_from_their_own_streams(config, tmp_path, monkeypatch):
    plan, seeds = ScoringPlan.from_config(dataclasses.replace(config, seed=3)), []
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    kp.probing.work.score_with_probe(plan, 3)
    assert seeds == [fit.derived_seed("probe", 3)]
    run = the_run(config, seed=3, folder=tmp_path / "run")
    kp.training.work.run_training(run)
    assert seeds[1:] == [fit.derived_seed("training", 3)]


@pytest.fixture
def own_model(tmp_path, monkeypatch):
    """Path of a module with a model that a config names."""
    path = tmp_path / "net_of_recipes.py"
    path.write_text("from keras_pruning.models.networks import mlp as net\n")
    monkeypatch.chdir(tmp_path)
    return path


def test_a_model_that_changes_during_scoring_is_refused(config, own_model, monkeypatch):
    """The recipe holds the file as it was before any probe trained."""
    config = dataclasses.replace(config, model=ModelConfig("net_of_recipes:net"))
    plan = ScoringPlan.from_config(config)

    def run_each(function, calls, *rest, **options):
        assert "recipe" in vars(plan)
        own_model.write_text(own_model.read_text() + "# changed\n")
        return (
            [work.check_scores(plan)] if "check" in function else [work.score_with_probe(plan, 0)]
        )

    monkeypatch.setattr(scoring, "run_each", run_each)
    monkeypatch.setattr(probes, "run_each", run_each)
    with pytest.raises(kp.InputError, match="changed during the command. Expected the file that"):
        scoring.score(plan, own_model.parent / "out")
    assert not (own_model.parent / "out").exists()


@pytest.mark.slow
def test_scores_of_an_own_model_with_other_parts_are_not_reused(own_model, capsys):
    """The function's file stays the same. The module that it imports does not."""
    (own_model.parent / "blocks_of_recipes.py").write_text("WIDTH = 4\n")
    own_model.write_text(
        "import keras_pruning.models.networks as networks\n"
        "from blocks_of_recipes import WIDTH\n"
        "def net(shape, classes):\n"
        "    return networks.mlp(shape, classes, width=WIDTH)\n"
    )
    arguments = ["--model.name", "net_of_recipes:net", "--dataset.fraction", 0.1, "--scores"]
    arguments += ["[el2n]", "--probe.epochs", 1, "--output", own_model.parent / "out"]
    assert run("score", *arguments) == 0
    written = (own_model.parent / "out" / "scores.parquet").stat().st_mtime_ns
    assert run("score", *arguments) == 0
    assert (own_model.parent / "out" / "scores.parquet").stat().st_mtime_ns == written
    (own_model.parent / "blocks_of_recipes.py").write_text("WIDTH = 5\n")
    assert run("score", *arguments) == 2
    message = capsys.readouterr().err
    assert "model_source: recorded" in message and "model_as_built: recorded" in message


def test_a_model_that_changes_during_a_sweep_is_refused(config, own_model):
    run = the_run(
        dataclasses.replace(config, model=ModelConfig("net_of_recipes:net")),
        folder=own_model.parent / "run",
    )
    assert run.recipe["model_source"]
    own_model.write_text("")
    with pytest.raises(kp.InputError, match="changed during the command"):
        kp.training.work.run_training(run)
    assert not run.folder.exists()


def test_recipes_of_all_runs_are_computed_before_any_trains(config, tmp_path, monkeypatch):
    """Also those of further data fractions, each of which has a plan."""

    def run_each(function, calls, *rest, **options):
        return ["recipe" in vars(call["run"].plan) for call in calls]

    monkeypatch.setattr(kp.training.run, "run_each", run_each)
    runs = [
        the_run(dataclasses.replace(config, dataset=DatasetConfig(fraction=f)), folder=tmp_path)
        for f in (0.1, 0.2)
    ]
    assert list(kp.training.run.run_all(runs)) == [True, True]


def test_a_changed_plan_changes_its_recipe(config):
    plans = ScoringPlan.from_config(config), TrainingPlan.from_config(config)
    for plan in plans:
        for change in ({"model": ModelConfig("mlp", 9)}, {"training": TrainingConfig(2, 16)}):
            assert dataclasses.replace(plan, **change).recipe != plan.recipe


def test_keys_with_dots_are_compared():
    assert differing({"a": {"x.y": 1}}, {"a": {"x.y": 2}}) == ["a.x.y"]


@pytest.mark.slow
def test_a_run_without_metrics_is_not_finished(config, tmp_path):
    run = the_run(config, folder=tmp_path / "run")
    assert not run.is_finished()
    kp.training.work.run_training(run)
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


@pytest.mark.slow
def test_a_comparison_does_not_delete_other_files(tmp_path, workplace):
    output = tmp_path / "runs"
    arguments = ["--config", workplace / "small.yaml", "--output", output / "one"]
    assert run("train", *arguments) == 0
    assert run("compare", "--runs", output) == 0
    (output / "comparison" / "thesis.txt").write_text("mine")
    assert run("compare", "--runs", output) == 0
    assert (output / "comparison" / "thesis.txt").read_text() == "mine"
    metrics = json.loads((output / "one" / "metrics.json").read_text())
    assert metrics["selection"] is None


def test_the_callback_refuses_a_model_before_training():
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


@pytest.mark.slow
def test_all_scores_of_one_fit_each(tmp_path, capsys):
    """Every score of two probes: a column, its standard error, and the mode of its paper."""
    arguments = ["--scores", "all", "--dataset.fraction", 0.1, "--probe.epochs", 3]
    arguments += ["--probe.seeds", 2, "--probe.jobs", 2, "--model.name", "mlp", "--model.width", 8]
    assert run("score", *arguments, "--output", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert f"Scored 144 examples: {', '.join(SCORES)}." in shown
    table = kp.ScoreTable.load(tmp_path / "out" / "scores.parquet")
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
        line = rf"^ +{name}  ((0\.\d\d|1\.00) with 2 probes; \d+ probe|none)"
        assert re.search(line, shown, re.MULTILINE)
    assert {table.metadata["scores"][name]["mode"] for name in SCORES} == {"eval", "train"}
    costs = json.loads((tmp_path / "out" / "scoring.json").read_text())["probes"]
    assert [cost["examples_seen"] for cost in costs] == [3 * 144] * 2


def test_an_unknown_score_beside_all(capsys, tmp_path):
    assert run("score", "--scores", "[all, el3n]", "--output", tmp_path / "out") == 2
    assert "Unknown score" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sweep_may_prune_by_any_of_all_scores():
    config = Config(scores="all", sweep=SweepConfig(methods=["aum", "grand"]))
    names = ScoringPlan.from_config(config).names
    sweep._require_scored(config.sweep, names)
    with pytest.raises(kp.InputError, match="not taken.*Received: 'aum'"):
        sweep._require_scored(config.sweep, ["el2n"])


def test_a_probe_shuffles_by_its_own_seed(config, monkeypatch):
    def stop(*arguments, seed, **options):
        raise RuntimeError(seed)

    plan = ScoringPlan.from_config(dataclasses.replace(config, seed=3))
    monkeypatch.setattr(fit, "train", stop)
    with pytest.raises(RuntimeError, match=str(fit.derived_seed("probe", 3))):
        kp.probing.work.score_with_probe(plan, 3)
