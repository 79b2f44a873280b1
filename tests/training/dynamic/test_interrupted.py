"""Runs that are interrupted and go on."""

import keras
import numpy as np
import pytest
from support import small
from support.pruned import compiled

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations > 0 and batch == 1 and self.now == self.epoch:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch


@pytest.mark.parametrize(
    ("name", "loss"), [*((name, "example") for name in kp.dynamic.METHODS), ("infobatch", "batch")]
)
def test_a_resumed_run_equals_one_that_was_not_interrupted(examples, tmp_path, name, loss):
    def fit(folder, *callbacks):
        pruning = kp.dynamic.METHODS[name](examples, 6, seed=1, loss=loss, backup_dir=folder)
        backup = keras.callbacks.BackupAndRestore(str(folder))
        model = compiled(pruning)
        callbacks = [pruning, backup, *callbacks]
        epochs = pruning.fit_epochs
        model.fit(pruning.batches(32), epochs=epochs, callbacks=callbacks, verbose=0)
        return pruning, model

    whole, expected = fit(tmp_path / "whole")
    last = whole.fit_epochs - 1
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", Interrupt(last))
    resumed, model = fit(tmp_path / "parts")
    assert resumed.history == whole.history and len(whole.history) == last + 1
    np.testing.assert_array_equal(resumed.losses.read(), whole.losses.read())
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_in_two_fits_goes_on(examples):
    histories = []
    for parts in ([8], [3, 8]):
        pruning = kp.dynamic.InfoBatch(examples, 8)
        model, first = compiled(pruning), 0
        for last in parts:
            options = {"initial_epoch": first, "epochs": last, "verbose": 0}
            model.fit(pruning.batches(32), callbacks=[pruning], **options)
            first = last
        histories.append(([log.kept for log in pruning.history], model.get_weights()))
    assert histories[0][0] == histories[1][0]
    np.testing.assert_array_equal(histories[0][1][0], histories[1][1][0])


def test_another_run_forgets_the_first(examples):
    pruning = kp.dynamic.InfoBatch(examples, 3)
    model = compiled(pruning)
    for _ in range(2):
        model.fit(pruning.batches(32), epochs=3, callbacks=[pruning], verbose=0)
        assert len(pruning.history) == 3 and pruning.history[0].losses is None


def test_a_run_resumed_without_its_losses_says_so(examples):
    pruning = kp.dynamic.InfoBatch(examples, 8)
    model = compiled(pruning)
    options = {"initial_epoch": 4, "epochs": 6, "callbacks": [pruning], "verbose": 0}
    with pytest.warns(UserWarning, match="begins in epoch 5 without the losses.*`backup_dir`"):
        model.fit(pruning.batches(32), **options)
    assert pruning.history[0].kept == 130
    # Losses of the end of the run are none of its middle
    with pytest.warns(UserWarning, match="begins in epoch 4 without the losses"):
        model.fit(pruning.batches(32), **{**options, "initial_epoch": 3})
    assert pruning.history[0].kept == 130 and len(pruning.history) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"r": 0.7}, "options"),
        ({"batch_size": 16}, "batch_size"),
        ({"sample_weight": np.full(130, 2.0)}, "sample_weight"),
        ({"augmentation": lambda x, draw: x}, "augmentation"),
    ],
)
def test_a_backup_of_another_run_is_refused(examples, tmp_path, changed, message):
    def fit(*callbacks, r=0.5, batch_size=32, **reading):
        pruning = kp.dynamic.InfoBatch(examples, 4, r=r, backup_dir=tmp_path)
        backup = keras.callbacks.BackupAndRestore(str(tmp_path))
        callbacks = [pruning, backup, *callbacks]
        read = pruning.batches(batch_size, **reading)
        compiled(pruning).fit(read, epochs=4, callbacks=callbacks, verbose=0)

    with pytest.raises(KeyboardInterrupt):
        fit(Interrupt(1))
    with pytest.raises(InputError, match=f"backup is of another run.*differs in {message}[.]"):
        fit(**changed)


def test_an_interrupted_epoch_leaves_nothing_behind(examples):
    """The same objects go on after `KeyboardInterrupt`, as in a notebook."""

    def fit(pruning, model, *callbacks, **options):
        options = {"epochs": 5, "callbacks": [pruning, *callbacks], "verbose": 0, **options}
        model.fit(pruning.batches(32), **options)

    whole = kp.dynamic.InfoBatch(examples, 5)
    fit(whole, compiled(whole))
    pruning = kp.dynamic.InfoBatch(examples, 5)
    model, weights = compiled(pruning), []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: weights.append(model.get_weights())
    )
    with pytest.raises(KeyboardInterrupt):
        fit(pruning, model, keep, Interrupt(2))
    assert pruning.history == whole.history[:2]
    fit(pruning, model, initial_epoch=2)
    assert len(pruning.history) == 5
    # The interrupted epoch chose by the same losses when it began again
    assert pruning.history[:3] == whole.history[:3]


def test_another_model_does_not_go_on_with_forgotten_losses(examples, tmp_path):
    pruning = kp.dynamic.InfoBatch(examples, 5, backup_dir=tmp_path)
    options = {"callbacks": [pruning], "verbose": 0}
    compiled(pruning).fit(pruning.batches(32), epochs=2, **options)
    losses = pruning.losses.read()
    # The losses of the second model are those of the backup
    model = compiled(pruning)
    started = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: started.append(pruning.losses.read())
    )
    options["callbacks"] = [pruning, keep]
    model.fit(pruning.batches(32), initial_epoch=2, epochs=3, **options)
    np.testing.assert_array_equal(started[0], losses)
    assert len(pruning.history) == 3


def test_a_backup_is_read_only_to_resume(examples, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_pruning.training.backup.Backup.load", None)
    pruning = kp.dynamic.InfoBatch(examples, 3, backup_dir=tmp_path)
    options = {"epochs": 3, "callbacks": [pruning], "verbose": 0}
    compiled(pruning).fit(pruning.batches(32), **options)
    assert len(pruning.history) == 3


def test_an_epoch_that_is_cut_short_counts_what_it_trained(examples):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    pruning = kp.dynamic.InfoBatch(examples, 3)
    options = {"epochs": 3, "callbacks": [pruning, Stop()], "verbose": 0}
    compiled(pruning).fit(pruning.batches(32), **options)
    assert (pruning.examples_seen, pruning.steps, pruning.saved) == (32, 1, 0.0)
    assert (pruning.history[0].kept, pruning.history[0].seen) == (130, 32)
