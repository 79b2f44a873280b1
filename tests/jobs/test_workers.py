"""Child processes that take several calls."""

import logging
import os

import keras
import numpy as np
import pytest

from keras_pruning.config import Config, DatasetConfig, ModelConfig, TrainingConfig
from keras_pruning.errors import InputError
from keras_pruning.jobs import workers
from keras_pruning.jobs.local import run_each
from keras_pruning.storage import read_json
from keras_pruning.training.run import TrainingPlan, TrainingRun, run_all


def work(number):
    """Returns the number of the process, and the names that Keras gives to two layers."""
    if number < 0:
        raise InputError("negative")
    return os.getpid(), [keras.layers.Dense(1).name for _ in range(2)]


def calls(*numbers):
    return [{"number": number} for number in numbers]


@pytest.mark.parametrize("keep", [True, False])
def test_a_kept_process_forgets_the_layers_of_earlier_calls(keep):
    results = list(run_each(work, calls(1, 2, 3), 1, 1, "work", keep=keep))
    assert len({process for process, _ in results}) == (1 if keep else 3)
    assert all(names == ["dense", "dense_1"] for _, names in results)


def tell(text):
    logging.getLogger("keras_pruning").info("It says %s.", text)
    logging.getLogger("keras_pruning").warning("Look at %s.", text)


def test_lines_that_a_call_logs_are_shown_once(caplog):
    caplog.set_level("INFO", "keras_pruning")
    list(run_each(tell, [{"text": "a"}, {"text": "b"}, {"text": "a"}], 1, 1, "work"))
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    told = [line for line in lines if line[1].startswith(("It", "Look"))]
    assert told == [
        (*line,)
        for text in "ab"
        for line in (("INFO", f"It says {text}."), ("WARNING", f"Look at {text}."))
    ]


def test_a_fork_server_that_dies_is_told_in_one_line(monkeypatch):
    def submit(pool, *arguments):
        raise EOFError("unexpected EOF")

    monkeypatch.setattr(workers.ProcessPoolExecutor, "submit", submit)
    with pytest.raises(InputError, match="A process died before its work was finished"):
        list(run_each(work, calls(1), 1, 1, "work"))


def test_a_process_that_raised_an_error_takes_no_other_call():
    failed, results = [], []
    for result in run_each(
        work, calls(1, -1, 2, 3), 1, 1, "work", lambda call, error: failed.append(call), keep=True
    ):
        results.append(result[0])
    assert failed == calls(-1)
    assert results[0] != results[1] == results[2]


def test_a_process_that_has_grown_takes_no_other_call(monkeypatch):
    monkeypatch.setattr(workers, "_GROWTH", -(2**40))
    results = list(run_each(work, calls(1, 2), 1, 1, "work", keep=True))
    assert results[0][0] != results[1][0]


def trained(folder, seeds):
    """Trains a run for each seed, and returns the model and the metrics of the last one."""
    config = Config(
        dataset=DatasetConfig(fraction=0.1),
        model=ModelConfig(name="cnn", width=4),
        training=TrainingConfig(epochs=2, augmentation="flip_crop"),
    )
    plan = TrainingPlan.from_config(config)
    list(run_all([TrainingRun(plan, None, seed, folder / f"{seed}") for seed in seeds]))
    last = folder / f"{seeds[-1]}"
    metrics = read_json(last / "metrics.json")
    metrics.pop("seconds")
    return keras.models.load_model(last / "model.keras"), metrics


@pytest.mark.slow
def test_a_kept_process_gives_the_bits_of_a_fresh_one(tmp_path):
    kept, kept_metrics = trained(tmp_path / "kept", [0, 1, 2])
    fresh, fresh_metrics = trained(tmp_path / "fresh", [2])
    assert kept_metrics == fresh_metrics
    assert kept.to_json() == fresh.to_json()
    for one, other in zip(kept.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
