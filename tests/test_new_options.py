"""A new key of the config is part of every recipe that it can change, without a further line."""

import copy
import functools
from dataclasses import dataclass

import pytest

from keras_pruning.config import (
    Config,
    DatasetConfig,
    ModelConfig,
    ProbeConfig,
    SweepConfig,
    TrainingConfig,
)
from keras_pruning.examples import load_examples, splits
from keras_pruning.probing import recipe as scoring_recipe
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import EXAMPLES_SAY, differing
from keras_pruning.training import run as training_run
from keras_pruning.training.run import TrainingPlan


@dataclass
class NewDataset(DatasetConfig):
    dummy: int = 0


@dataclass
class NewModel(ModelConfig):
    dummy: int = 0


@dataclass
class NewProbe(ProbeConfig):
    dummy: int = 0


@dataclass
class NewTraining(TrainingConfig):
    dummy: int = 0


@dataclass
class NewSweep(SweepConfig):
    dummy: int = 0


@dataclass
class NewConfig(Config):
    dummy: int = 0


SECTIONS = {
    "dataset": NewDataset,
    "model": NewModel,
    "probe": NewProbe,
    "training": NewTraining,
}


@pytest.fixture(autouse=True)
def a_source_with_a_new_option(monkeypatch):
    monkeypatch.setattr(
        splits, "load_examples", lambda *args, dummy=0, **options: load_examples(*args, **options)
    )


@functools.cache
def recipes(section, dummy):
    """Returns the recipes of scores and of a training run with a new key in one section."""
    config = Config(**{section: SECTIONS[section](dummy=dummy)})
    return ScoringPlan.from_config(config).recipe, TrainingPlan.from_config(config).recipe


@pytest.mark.parametrize("section", SECTIONS)
def test_a_new_key_changes_the_recipe_of_scores(section):
    before, after = (copy.deepcopy(recipes(section, dummy)[0]) for dummy in (1, 2))
    assert (before[section].pop("dummy"), after[section].pop("dummy")) == (1, 2)
    assert before == after


@pytest.mark.parametrize("section", SECTIONS)
def test_a_new_key_changes_the_recipe_of_training(section):
    """All but keys of the probe, on which a training run depends by its subset only."""
    before, after = (copy.deepcopy(recipes(section, dummy)[1]) for dummy in (1, 2))
    if section != "probe":
        assert (before[section].pop("dummy"), after[section].pop("dummy")) == (1, 2)
    assert before == after


def test_a_new_key_of_the_sweep_changes_the_recipe_of_training():
    first, second = (
        TrainingPlan.from_config(Config(sweep=NewSweep(dummy=dummy))).recipe for dummy in (1, 2)
    )
    assert differing(first, second) == ["sweep.dummy"]


def test_a_new_key_outside_all_sections_changes_every_recipe(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"any")
    for plan in (
        lambda config: ScoringPlan.from_config(config),
        lambda config: ScoringPlan.from_config(config, [tmp_path / "model.keras"]),
        TrainingPlan.from_config,
    ):
        first, second = (plan(NewConfig(dummy=dummy)).recipe for dummy in (1, 2))
        assert differing(first, second) == ["dummy"]


@pytest.mark.parametrize("section", ["dataset", "probe"])
def test_a_new_key_changes_the_recipe_of_checkpoints(section, tmp_path):
    (tmp_path / "model.keras").write_bytes(b"any")
    first, second = (
        ScoringPlan.from_config(
            Config(**{section: SECTIONS[section](dummy=dummy)}), [tmp_path / "model.keras"]
        ).recipe
        for dummy in (1, 2)
    )
    assert differing(first, second) == [f"{section}.dummy"]


def names_of_keys(values, prefix=""):
    """Returns the names of sections and keys of nested dictionaries, joined by dots."""
    names = set()
    for key, value in values.items():
        names.add(f"{prefix}{key}")
        names |= names_of_keys(value, f"{prefix}{key}.") if isinstance(value, dict) else set()
    return names


@pytest.mark.parametrize(
    "cannot_matter",
    [
        EXAMPLES_SAY,
        scoring_recipe.CANNOT_MATTER,
        scoring_recipe.CANNOT_MATTER_TO_CHECKPOINTS,
        training_run.CANNOT_MATTER,
    ],
    ids=["examples", "scores", "checkpoints", "training"],
)
def test_keys_that_cannot_matter_exist_and_have_a_reason(cannot_matter):
    assert cannot_matter.keys() <= names_of_keys(Config().as_dict())
    assert all(cannot_matter.values())
