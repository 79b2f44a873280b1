"""Runs that were killed, and go on only with the same recipe."""

import dataclasses

import pytest

from keras_pruning import InputError
from keras_pruning.config import Config, DatasetConfig
from keras_pruning.training.checkpoint import RunCheckpoint
from keras_pruning.training.run import TrainingPlan, TrainingRun


@pytest.fixture
def run(tmp_path):
    config = Config(dataset=DatasetConfig("digits", fraction=0.1))
    return TrainingRun(TrainingPlan.from_config(config), None, 0, tmp_path / "seed-0")


def test_a_killed_run_of_another_recipe_is_not_replaced(run):
    other = dataclasses.replace(run, dynamic={"name": "rs2", "f": 0.5})
    RunCheckpoint(run.checkpoint_path, other.recipe).save({})
    with pytest.raises(InputError, match="(?s)seed-0.unfinished.npz holds .* recipe.*dynamic"):
        run.is_finished()
    assert run.checkpoint_path.exists()


def test_a_killed_run_of_the_same_recipe_is_not_finished(run):
    RunCheckpoint(run.checkpoint_path, run.recipe).save({})
    assert not run.is_finished()
    run.checkpoint_path.write_bytes(b"damaged")
    assert not run.is_finished()
