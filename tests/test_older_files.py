"""Results that an earlier version wrote are reused, and only if they have the same recipe."""

import json

import keras
import numpy as np
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig, TrainingConfig
from keras_pruning.probing import scoring
from keras_pruning.probing.extrapolation import NEIGHBOURS
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import file_digest, require_same_recipe, versions
from keras_pruning.training.run import TrainingPlan, TrainingRun

TRAINING = {
    "batch_size": 128,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "schedule": "step",
    "weight_decay": 0.0005,
    "augmentation": None,
}
MODEL = {"name": "mlp", "width": 8}


def config(label_noise=0.0, **probe):
    """The config of every result here."""
    return Config(
        dataset=DatasetConfig(fraction=0.1, label_noise=label_noise),
        model=ModelConfig(**MODEL),
        probe=ProbeConfig(epochs=3, threads=1, **probe),
        scores=["el2n", {"name": "vog", "every": 1}],
        training=TrainingConfig(epochs=2),
        seed=4,
    )


def older_provenance(examples):
    """Returns the provenance of examples as it was before label noise was always in it."""
    provenance = dict(examples.provenance)
    if not examples.label_noise:
        del provenance["label_noise"], provenance["label_noise_seed"]
    return provenance


def older_recipe(plan):
    """Returns the recipe of scores as the version before the plans wrote it."""
    data, scores = plan.data, [{"name": "el2n"}, {"name": "vog", "every": 1}]
    examples = {"examples": older_provenance(data.all)}
    if data.unseen:
        examples["support"] = older_provenance(data.trained_on)
    part = {"fraction": data.fraction, "part_seed": 4, "neighbours": NEIGHBOURS}
    part = part if data.fraction < 1 else {}
    shared = {"threads": 1, "versions": versions()}
    if plan.checkpoints:
        files = [[path.name, file_digest(path)] for path in plan.checkpoints]
        probe = {"probe": part} if part else {}
        return {**examples, "checkpoints": files, **probe, "scores": scores, **shared}
    return {
        **examples,
        "model": MODEL,
        "model_source": None,
        "probe": {"epochs": 3, **part},
        "scores_of_each_seed": {"4": scores},
        "training": TRAINING,
        **shared,
    }


@pytest.fixture
def checkpoint(tmp_path):
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    path = tmp_path / "epoch-1.keras"
    keras.Sequential(layers).save(path)
    return path


PROBES = {
    "whole": {},
    "part": {"fraction": 0.5},
    "test": {"split": "test"},
    "noise": {"label_noise": 0.2},
}


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
@pytest.mark.parametrize("by", ["probes", "checkpoints"])
def test_scores_of_the_version_before_are_reused(by, probe, checkpoint, tmp_path, monkeypatch):
    plan = ScoringPlan.from_config(config(**probe), [checkpoint] if by == "checkpoints" else None)
    examples, metadata = plan.data.all, {"recipe": older_recipe(plan)}
    columns = {name: np.arange(len(examples)) for name in ("el2n", "vog")}
    table = kp.ScoreTable(examples.ids, examples.labels, columns, metadata=metadata)
    table.save(tmp_path / "out" / "scores.parquet")
    monkeypatch.setattr(scoring, "run_each", None)
    reused = scoring.score(plan, tmp_path / "out")
    np.testing.assert_array_equal(reused["vog"], table["vog"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fraction": 0.5}, "probe.fraction: recorded 1.0, requested 0.5"),
        ({"split": "test"}, 'examples.split: recorded "train", requested "test"'),
        ({"label_noise": 0.2}, "examples.label_noise: recorded 0.0, requested 0.2"),
    ],
)
@pytest.mark.parametrize("by", ["probes", "checkpoints"])
def test_other_values_of_keys_left_out_are_refused(by, changes, message, checkpoint):
    checkpoints = [checkpoint] if by == "checkpoints" else None
    older = older_recipe(ScoringPlan.from_config(config(), checkpoints))
    changed = ScoringPlan.from_config(config(**changes), checkpoints)
    with pytest.raises(InputError, match=message):
        require_same_recipe("out", older, changed.recipe)


def older_training_recipe(run):
    """Returns the recipe of a training run as the version before the plans wrote it."""
    selection = None if run.subset is None else dict(run.subset.selection)
    if selection is not None:
        newer = {"policy_options": {}, "quota_options": {}, "embedding": None}
        assert {name: selection.pop(name) for name in newer} == newer
        assert selection.pop("extrapolated") is False
    return {
        "examples": older_provenance(run.plan.data.train),
        "test_examples": older_provenance(run.plan.data.test),
        "selection": selection,
        "kept": None if run.subset is None else run.subset.digest,
        "model": MODEL,
        "model_source": None,
        "training": {"epochs": 2, "budget": "steps", **TRAINING},
        "seed": run.seed,
        "threads": run.plan.threads,
        "save_model": True,
        "versions": versions(),
    }


def run_of(folder, extrapolated=False, label_noise=0.0, whole=False):
    """Returns a `TrainingRun` on the half of the examples that a table ranks first."""
    plan = TrainingPlan.from_config(config(label_noise))
    examples = plan.data.train
    marks = np.arange(len(examples)) == 3 if extrapolated else None
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    values = {"el2n": np.arange(len(examples))}
    table = kp.ScoreTable(examples.ids, examples.labels, values, None, metadata, marks)
    return TrainingRun(plan, None if whole else kp.select(table, "el2n", 0.5), 4, folder)


@pytest.mark.parametrize("options", [{}, {"whole": True}, {"label_noise": 0.2}])
def test_a_run_of_the_version_before_is_finished(options, tmp_path):
    run = run_of(tmp_path / "run", **options)
    run.folder.mkdir()
    (run.folder / "recipe.json").write_text(json.dumps(older_training_recipe(run)))
    (run.folder / "metrics.json").write_text("{}")
    with pytest.warns(UserWarning, match="recipe.json has no digest"):
        assert run.is_finished()
    with (
        pytest.warns(UserWarning, match="recipe.json has no digest"),
        pytest.raises(InputError, match="seed: recorded 4, requested 5"),
    ):
        TrainingRun(run.plan, run.subset, 5, run.folder).is_finished()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extrapolated": True}, "selection.extrapolated: recorded false, requested true"),
        ({"label_noise": 0.2}, "examples.label_noise: recorded 0.0, requested 0.2"),
        ({"whole": True}, "selection: recorded .*requested none"),
    ],
)
def test_another_run_than_the_one_before_is_refused(options, message):
    older = older_training_recipe(run_of("run"))
    with pytest.raises(InputError, match=message):
        require_same_recipe("run", older, run_of("run", **options).recipe)


def test_a_subset_of_the_version_before_still_fits_its_examples():
    clean = kp.load_examples("digits", fraction=0.1)
    mask = np.arange(len(clean)) < 50
    subset = kp.Subset(clean.ids, clean.labels, mask, {"examples": older_provenance(clean)})
    assert len(clean.keep(subset)) == 50
    with pytest.raises(InputError, match="Expected label_noise=0.2.*Received: label_noise=0.0"):
        clean.with_label_noise(0.2).keep(subset)


def test_a_subset_file_of_the_version_before_is_reused(tmp_path, capsys):
    plan = ScoringPlan.from_config(config())
    examples, recipe = plan.data.all, older_recipe(plan)
    metadata = {"examples": recipe["examples"], "recipe": recipe}
    metadata["scores"] = {"el2n": {"higher_is_harder": True}}
    values = {"el2n": np.arange(len(examples))}
    table = kp.ScoreTable(examples.ids, examples.labels, values, metadata=metadata)
    table.save(tmp_path / "scores.parquet")
    older = kp.select(table, "el2n", 0.5)
    del older.metadata["selection"]["extrapolated"]
    older.save(tmp_path / "subset.parquet")
    arguments = ["--scores", tmp_path / "scores.parquet", "--by", "el2n"]
    arguments += ["--output", tmp_path / "subset.parquet", "--keep-fraction"]
    assert run("prune", *arguments, 0.5) == 0
    assert "Reused" in capsys.readouterr().out
    # The same scores, taken anew, have a recipe in the form of today.
    table.metadata |= {"examples": examples.provenance, "recipe": plan.recipe}
    table.save(tmp_path / "scores.parquet", overwrite=True)
    assert run("prune", *arguments, 0.5) == 0
    assert run("prune", *arguments, 0.4) == 2
    assert "selection.keep_fraction: recorded 0.5, requested 0.4" in capsys.readouterr().err
