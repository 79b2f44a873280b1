"""Scorings and training commands that were killed at the end of an epoch."""

import time

import keras
import numpy as np
import pytest
from support import processes, small

from keras_pruning.errors import InputError
from keras_pruning.probing import work
from keras_pruning.probing.checkpoints import record_checkpoints
from keras_pruning.probing.collectors.passes import passes_of
from keras_pruning.probing.recorder import ScoreRecorder
from keras_pruning.storage import read_json
from keras_pruning.training import checkpoint as checkpoint_module
from keras_pruning.training.checkpoint import RunCheckpoint


@pytest.fixture
def each_epoch_is_saved(monkeypatch):
    monkeypatch.setattr(checkpoint_module, "EVERY", 0.0)


@pytest.mark.parametrize("killed_at", [2, 4])
def test_saved_models_are_passed_over_once(tmp_path, monkeypatch, each_epoch_is_saved, killed_at):
    examples = small.digits(60)
    models, scores = [small.network(examples, seed) for seed in range(4)], ["el2n", "vog", "aum"]
    whole = record_checkpoints(models, examples, scores)
    unfinished = RunCheckpoint(tmp_path / "scoring.npz", {"scores": scores})
    epoch_end, seen = ScoreRecorder.epoch_end, []

    def end(recorder, epoch, model):
        if epoch == killed_at and not seen:
            seen.append(epoch)
            raise KeyboardInterrupt
        seen.append(epoch)
        epoch_end(recorder, epoch, model)

    # The first checkpoints were passed over before the kill
    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch:
        patch.setattr(ScoreRecorder, "epoch_end", lambda *call: _until(killed_at, epoch_end, *call))
        record_checkpoints(models, examples, scores, unfinished=unfinished)
    seen.append("killed")
    monkeypatch.setattr(ScoreRecorder, "epoch_end", end)
    again = record_checkpoints(models, examples, scores, unfinished=unfinished)
    assert seen == ["killed", *range(killed_at, 5)]
    for name in scores:
        np.testing.assert_array_equal(whole.table()[name], again.table()[name])
    assert list(map(vars, passes_of(whole))) == list(map(vars, passes_of(again)))


def test_no_state_remains_of_checkpoints_that_do_not_fit(tmp_path, each_epoch_is_saved):
    """A state that nothing can go on with would stand in the way of other checkpoints."""
    examples = small.digits(60)
    models = [small.network(examples, 0), small.network(examples, 1), _wider(examples)]
    path = tmp_path / "new" / "probes" / "scoring.npz"
    unfinished, saved = RunCheckpoint(path, {"scores": ["el2n"]}), []
    save = unfinished.save

    def saving(state):
        save(state)
        saved.append(path.exists())

    unfinished.save = saving
    with pytest.raises(InputError, match="others in checkpoint 3"):
        record_checkpoints(models, examples, ["el2n"], unfinished=unfinished)
    assert saved == [True, True]
    assert not list(tmp_path.iterdir())


def test_a_state_remains_if_a_later_file_cannot_be_read_now(
    tmp_path, monkeypatch, each_epoch_is_saved
):
    """The same command may read it later, and goes on."""
    examples, paths = small.digits(60), [tmp_path / f"{number}.keras" for number in range(2)]
    for number, path in enumerate(paths):
        small.network(examples, number).save(path)
    unfinished = RunCheckpoint(tmp_path / "scoring.npz", {"scores": ["el2n"]})
    load = keras.saving.load_model

    def failing(path, **options):
        if path == paths[1]:
            raise OSError("Input/output error")
        return load(path, **options)

    with pytest.raises(InputError, match="Input/output error"), monkeypatch.context() as patch:
        patch.setattr(keras.saving, "load_model", failing)
        record_checkpoints(paths, examples, ["el2n"], unfinished=unfinished)
    assert unfinished.load() is not None
    scored, epoch_end = [], ScoreRecorder.epoch_end
    with monkeypatch.context() as patch:
        patch.setattr(
            ScoreRecorder, "epoch_end", lambda *call: scored.append(call[1]) or epoch_end(*call)
        )
        again = record_checkpoints(paths, examples, ["el2n"], unfinished=unfinished)
    assert scored == [2]
    whole = record_checkpoints(paths, examples, ["el2n"])
    np.testing.assert_array_equal(whole.table()["el2n"], again.table()["el2n"])


def test_damage_shows_before_the_first_pass(tmp_path, monkeypatch, each_epoch_is_saved):
    examples, damaged = small.digits(60), tmp_path / "1.keras"
    small.network(examples, 1).save(damaged)
    damaged.write_bytes(damaged.read_bytes()[:200])
    monkeypatch.setattr(ScoreRecorder, "epoch_end", None)
    unfinished = RunCheckpoint(tmp_path / "new" / "scoring.npz", {"scores": ["el2n"]})
    with pytest.raises(InputError, match="Cannot load the model .*1.keras"):
        models = [small.network(examples), damaged]
        record_checkpoints(models, examples, ["el2n"], unfinished=unfinished)
    assert not (tmp_path / "new").exists()


def test_a_state_remains_if_there_is_no_room_for_the_next(tmp_path, each_epoch_is_saved):
    examples = small.digits(60)
    models = [small.network(examples, seed) for seed in range(2)]
    unfinished = RunCheckpoint(tmp_path / "scoring.npz", {"scores": ["el2n"]})
    save = unfinished.save

    def full(state):
        if unfinished.load() is not None:
            raise InputError("No space is left.")
        save(state)

    unfinished.save = full
    with pytest.raises(InputError, match="No space"):
        record_checkpoints(models, examples, ["el2n"], unfinished=unfinished)
    assert unfinished.load() is not None


def _wider(examples):
    model = keras.Sequential([keras.Input(examples.spec.shape), keras.layers.Flatten()])
    model.add(keras.layers.Dense(7, "relu"))
    model.add(keras.layers.Dense(examples.num_classes))
    return model


def _until(killed_at, epoch_end, recorder, epoch, model):
    if epoch == killed_at:
        raise KeyboardInterrupt
    epoch_end(recorder, epoch, model)


def test_a_probe_goes_on_and_removes_its_checkpoint(tmp_path, monkeypatch, each_epoch_is_saved):
    """The files of a probe that was killed in its third epoch are those of another one."""
    from support.killed_inside import plan_of

    from keras_pruning.probing.probe_files import ProbeFiles

    plan = plan_of(1.0)
    files = [ProbeFiles.of(plan, tmp_path / name) for name in ("whole", "killed")]
    work.keep_probe(files[0], plan, 0)
    begin = keras.callbacks.CallbackList.on_epoch_begin

    def kill(callbacks, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(callbacks, epoch, logs)

    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch:
        patch.setattr(keras.callbacks.CallbackList, "on_epoch_begin", kill)
        work.keep_probe(files[1], plan, 0)
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["seed-0.unfinished.npz"]
    work.keep_probe(files[1], plan, 0)
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["seed-0.parquet"]
    (whole, cost), (again, cost_again) = (kept.read(0) for kept in files)
    for name in plan.names:
        np.testing.assert_array_equal(whole[name], again[name])
    assert {**cost, "seconds": 0} == {**cost_again, "seconds": 0}


@pytest.mark.slow
def test_a_killed_command_trains_no_epoch_twice(tmp_path):
    """The rerun of a killed training has the same metrics and leaves no checkpoint."""
    options = ["--training.epochs", "8", "--training.batch_size", "4", "--model.width", "16"]
    command = ["cli.py", "train", "--output"]
    process = processes.start(*command, tmp_path / "killed", *options)
    unfinished = tmp_path / "killed.unfinished.npz"
    end = time.monotonic() + 120
    while not unfinished.exists() and time.monotonic() < end:
        time.sleep(0.02)
    processes.kill(process)
    assert unfinished.exists()
    for name in ("killed", "whole"):
        again = processes.start(*command, tmp_path / name, *options)
        shown, _ = again.communicate()
        assert again.returncode == 0, shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]
    changing = ("seconds", "digest")
    one, other = (read_json(tmp_path / name / "metrics.json") for name in ("killed", "whole"))
    assert {**one, **dict.fromkeys(changing)} == {**other, **dict.fromkeys(changing)}
    models = [
        keras.saving.load_model(tmp_path / name / "model.keras") for name in ("killed", "whole")
    ]
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, theirs)
