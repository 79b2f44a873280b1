"""Training runs that were killed at the end of an epoch, and go on to the same bits."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from support import small
from support.board import Board

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.models import loading
from keras_pruning.reports.training_curves import TrainingCurves
from keras_pruning.training import checkpoint as checkpoint_module
from keras_pruning.training import fit
from keras_pruning.training.checkpoint import RunCheckpoint


class Killed(BaseException):
    """Ends a fit as a kill would: no callback of the fit runs after it."""


class Kill(keras.callbacks.Callback):
    """Kills the fit at the first step of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Killed


@pytest.fixture(autouse=True)
def each_epoch_is_saved(monkeypatch):
    monkeypatch.setattr(checkpoint_module, "EVERY", 0.0)


def network(examples, name="cnn"):
    keras.utils.set_random_seed(0)
    if name == "dropout":
        layers = [keras.layers.Flatten(), keras.layers.Dropout(0.3), keras.layers.Dense(10)]
        return keras.Sequential([keras.Input(examples.shape), *layers])
    return loading.build(name, examples.spec, 10, width=4)


def trained(examples, options, checkpoint=None, killed_at=None, scores=(), name="cnn", **more):
    """Returns the log, the weights and the callback of the scores of a run."""
    model = network(examples, name)
    callback = kp.ScoreCallback(examples, list(scores)) if scores else None
    callbacks = [callback] if scores else []
    callbacks += [] if killed_at is None else [Kill(killed_at)]
    try:
        log = fit.train(
            model, examples, options, callbacks=callbacks, checkpoint=checkpoint, **more
        )
    except Killed:
        return None
    return log, model.get_weights(), callback


def assert_same_bits(one, other):
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def options_of(**changes):
    return TrainingConfig(**{"epochs": 4, "batch_size": 20, "budget": "epochs", **changes})


@pytest.mark.parametrize("killed_at", [1, 3])
@pytest.mark.parametrize(
    "changes, name, full_size",
    [
        ({"augmentation": "flip_crop"}, "cnn", None),
        ({"budget": "steps", "augmentation": "flip_crop"}, "cnn", 170),
        ({"budget": "steps", "optimizer": "adamw", "schedule": "cosine"}, "dropout", 170),
    ],
)
def test_a_killed_run_ends_with_the_same_bits(tmp_path, changes, name, full_size, killed_at):
    """An epoch of 170 : 20 = 9 steps on 110 examples ends within a pass of 6 steps."""
    examples, options = small.digits(110), options_of(**changes)
    more = {"full_size": full_size, "name": name}
    whole = trained(examples, options, **more)
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    assert trained(examples, options, saved, killed_at, **more) is None
    again = trained(examples, options, saved, **more)
    assert_same_bits(whole[1], again[1])
    assert (whole[0].steps, whole[0].examples_seen) == (again[0].steps, again[0].examples_seen)


def test_only_the_epochs_after_the_kill_are_trained_again(tmp_path):
    examples, options = small.digits(110), options_of()
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    trained(examples, options, saved, killed_at=3)
    rates = small.Rates()
    fit.train(network(examples), examples, options, callbacks=[rates], checkpoint=saved)
    assert len(rates.rates) == 6


@pytest.mark.slow
@pytest.mark.parametrize("recorded", [True, False])
def test_scores_of_a_killed_run_are_the_same(tmp_path, recorded):
    examples, options = small.digits(110), options_of()
    scores = ["el2n", "vog", "aum", "forgetting", "prediction_depth", "tdds"]
    scored = examples if recorded else small.digits(110)
    whole = kp.ScoreCallback(scored, scores)
    fit.train(network(examples), examples, options, callbacks=[whole])
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    with pytest.raises(Killed):
        callbacks = [kp.ScoreCallback(scored, scores), Kill(2)]
        fit.train(network(examples), examples, options, callbacks=callbacks, checkpoint=saved)
    again = kp.ScoreCallback(scored, scores)
    fit.train(network(examples), examples, options, callbacks=[again], checkpoint=saved)
    for name in scores:
        np.testing.assert_array_equal(whole.table()[name], again.table()[name])
    assert [vars(part) for part in whole.passes] == [vars(part) for part in again.passes]


def test_a_run_killed_after_its_last_epoch_is_only_scored(tmp_path):
    examples, options = small.digits(110), options_of(epochs=6)
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    whole = trained(examples, options, saved, scores=["el2n", "prototype"], stop_epoch=3)
    again = kp.ScoreCallback(examples, ["el2n", "prototype"])
    rates = small.Rates()
    callbacks = [again, rates]
    model = network(examples)
    fit.train(model, examples, options, callbacks=callbacks, checkpoint=saved, stop_epoch=3)
    assert rates.rates == []
    assert_same_bits(whole[1], model.get_weights())
    for name in ("el2n", "prototype"):
        np.testing.assert_array_equal(whole[2].table()[name], again.table()[name])


@pytest.mark.slow
@pytest.mark.parametrize("method", kp.dynamic.METHODS)
def test_a_killed_run_that_prunes_goes_on_the_same(tmp_path, method):
    examples = small.digits(110)
    options = options_of(dynamic={"name": method}, epochs=5, augmentation="flip_crop")
    whole = trained(examples, options)
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    trained(examples, options, saved, killed_at=2)
    again = trained(examples, options, saved)
    assert_same_bits(whole[1], again[1])
    assert whole[0].epochs == again[0].epochs
    assert (whole[0].steps, whole[0].examples_seen) == (again[0].steps, again[0].examples_seen)


def test_a_checkpoint_of_another_recipe_or_damaged_is_left_out(tmp_path, caplog):
    examples, options = small.digits(110), options_of()
    whole = trained(examples, options)
    path = tmp_path / "run.npz"
    trained(examples, options, RunCheckpoint(path, {"seed": 1}), killed_at=2)
    caplog.set_level("INFO", "keras_pruning")
    other = trained(examples, options, RunCheckpoint(path, {"seed": 0}))
    assert "it has another recipe" in caplog.text
    path.write_bytes(path.read_bytes()[:-100])
    damaged = trained(examples, options, RunCheckpoint(path, {"seed": 0}))
    assert "it is damaged" in caplog.text
    assert_same_bits(whole[1], other[1])
    assert_same_bits(whole[1], damaged[1])


def test_seconds_count_the_epochs_before_the_kill(tmp_path):
    examples, options = small.digits(110), options_of()
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    trained(examples, options, saved, killed_at=3)
    state = saved.load()
    saved.save({**state, "seconds": np.array(1000.0)})
    log, _, _ = trained(examples, options, saved)
    assert 1000 < log.seconds < 1100


def test_the_curves_of_a_killed_run_are_whole(tmp_path):
    examples, options = small.digits(110), options_of(schedule="cosine")
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    curves = [TrainingCurves(tmp_path / "board" / name) for name in ("whole", "killed", "again")]
    fit.train(network(examples), examples, options, callbacks=[curves[0]])
    with pytest.raises(Killed):
        callbacks = [curves[1], Kill(2)]
        fit.train(network(examples), examples, options, callbacks=callbacks, checkpoint=saved)
    curves[1].on_train_end()
    fit.train(network(examples), examples, options, callbacks=[curves[2]], checkpoint=saved)
    board = Board(tmp_path / "board")
    for name in ("train/loss", "train/accuracy", "train/learning_rate"):
        assert len(board.scalars("again", name)) == 4
        assert board.scalars("again", name) == board.scalars("whole", name)


def test_short_epochs_are_not_saved_each(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "EVERY", 1000.0)
    examples, options = small.digits(110), options_of()
    saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
    trained(examples, options, saved, killed_at=3)
    assert saved.load() is None


@pytest.mark.parametrize(
    ("seconds", "last"),
    [
        (0.3, [0.9, 1.8, 2.7]),
        (0.4, [0.8, 1.6, 2.4]),
        (0.7, [1.4, 2.1, 2.8]),
        (2.0, [2.0, 4.0, 6.0]),
    ],
)
def test_a_kill_costs_an_epoch_or_a_second(seconds, last, tmp_path, monkeypatch):
    clock, saved = [0.0], []
    monkeypatch.setattr(checkpoint_module, "EVERY", 1.0)
    monkeypatch.setattr(checkpoint_module, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    checkpoint = RunCheckpoint(tmp_path / "run.npz", {})
    for epoch in range(1, 10):
        clock[0] = epoch * seconds
        checkpoint.offer(lambda: saved.append(clock[0]) or {})
    np.testing.assert_allclose(saved[:3], last)


def test_weights_of_bfloat16_are_saved_as_they_are(tmp_path):
    examples, options = small.digits(60), options_of(epochs=3)
    keras.config.set_dtype_policy("bfloat16")
    try:
        whole = trained(examples, options)
        saved = RunCheckpoint(tmp_path / "run.npz", {"seed": 0})
        trained(examples, options, saved, killed_at=1)
        again = trained(examples, options, saved)
    finally:
        keras.config.set_dtype_policy("float32")
    assert_same_bits(*([weight.tobytes() for weight in part[1]] for part in (whole, again)))
