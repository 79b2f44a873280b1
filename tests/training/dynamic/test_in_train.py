"""Dynamic methods in `fit.train`, the training of all commands."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.models import loading
from keras_pruning.training import fit


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def trained(examples, dynamic, callbacks=(), stop_epoch=None, **options):
    """Returns the log of a run of 8 epochs."""
    keras.utils.set_random_seed(0)
    model = loading.build("mlp", examples.spec, 10, width=8)
    options = {"epochs": 8, "batch_size": 16, "learning_rate": 0.01, **options}
    config = TrainingConfig(dynamic=dynamic, **options)
    return fit.train(model, examples, config, callbacks=callbacks, stop_epoch=stop_epoch)


def test_the_schedule_follows_the_share_of_the_run(examples):
    rates = small.Rates()
    log = trained(examples, {"name": "infobatch", "r": 0.8}, [rates], schedule="cosine")
    assert len(rates.rates) == log.steps < 0.9 * 8 * 9
    shares = [
        (number + step / count) / 8
        for number, epoch in enumerate(log.epochs)
        for count in [-(-epoch.kept // 16)]
        for step in range(count)
    ]
    expected = 0.01 * (1 + np.cos(np.pi * np.array(shares))) / 2
    # Shares are rounded to one of the 72 steps that the schedule is made for
    np.testing.assert_allclose(rates.rates, expected, atol=2e-4)


@pytest.mark.parametrize("name, epochs", [("infobatch", 3), ("shortened", 3), ("rs2", 3)])
def test_training_stops_after_the_epoch_that_is_given(examples, name, epochs):
    rates = small.Rates()
    log = trained(examples, name, [rates], stop_epoch=3, schedule="cosine")
    assert len(log.epochs) == epochs and log.steps == len(rates.rates)
    # The rate is that of the whole run, or of its half if the run is shortened
    share = 0.75 if name == "shortened" else 0.375
    assert rates.rates[-1] > 0.01 * (1 + np.cos(np.pi * share)) / 2


def test_a_stop_after_the_end_changes_nothing(examples):
    assert len(trained(examples, {"name": "shortened", "f": 0.25}, stop_epoch=6).epochs) == 2


def test_scores_beside_a_method_are_those_of_eval_mode(examples):
    callback = kp.ScoreCallback(examples, ["forgetting"])
    log = trained(examples, "infobatch", [callback])
    assert len(log.epochs) == 8
    assert callback.table().metadata["scores"]["forgetting"]["mode"] == "eval"
