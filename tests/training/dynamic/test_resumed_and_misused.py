"""Runs that are interrupted and resumed, and fits that a dynamic method refuses."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


def network(seed=0):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def compiled(pruning):
    model = pruning.recording(network())
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    model.compile(keras.optimizers.SGD(pruning.follow(schedule, 100), momentum=0.9), LOSS)
    return model


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations > 0 and batch == 1 and self.now == self.epoch:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch


@pytest.mark.parametrize("name", ["infobatch", "rs2", "seta"])
def test_a_resumed_run_equals_one_that_was_not_interrupted(examples, tmp_path, name):
    def fit(folder, *callbacks):
        pruning = kp.dynamic.METHODS[name](examples, 8, seed=1, backup_dir=folder)
        backup = keras.callbacks.BackupAndRestore(str(folder))
        model = compiled(pruning)
        callbacks = [pruning, backup, *callbacks]
        model.fit(pruning.batches(32), epochs=8, callbacks=callbacks, verbose=0)
        return pruning, model

    whole, expected = fit(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", Interrupt(5))
    resumed, model = fit(tmp_path / "parts")
    assert resumed.history == whole.history and len(whole.history) == 8
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


def test_a_backup_of_other_options_is_refused(examples, tmp_path):
    def fit(r, *callbacks):
        pruning = kp.dynamic.InfoBatch(examples, 8, r=r, backup_dir=tmp_path)
        backup = keras.callbacks.BackupAndRestore(str(tmp_path))
        callbacks = [pruning, backup, *callbacks]
        compiled(pruning).fit(pruning.batches(32), epochs=8, callbacks=callbacks, verbose=0)

    with pytest.raises(KeyboardInterrupt):
        fit(0.5, Interrupt(5))
    with pytest.raises(InputError, match="backup is of another run.*differs in options"):
        fit(0.7)


def test_fits_that_do_not_belong_to_the_method(examples):
    pruning, other = (kp.dynamic.InfoBatch(examples, 4) for _ in range(2))
    model, batches = compiled(pruning), pruning.batches(32)
    options = {"epochs": 4, "verbose": 0}
    with pytest.raises(InputError, match=r"need it as a callback.*callbacks=\[pruning\]"):
        model.fit(batches, **options)
    other.recording(network())
    with pytest.raises(InputError, match="need it as a callback"):
        model.fit(batches, callbacks=[other], **options)
    with pytest.raises(InputError, match="does not record its losses.*`recording"):
        plain = network()
        plain.compile("sgd", LOSS)
        plain.fit(examples.batches(32), shuffle=False, callbacks=[pruning], **options)
    with pytest.raises(InputError, match="trained on other batches.*Expected those of `batches`"):
        pruning.batches(32)
        model.fit(examples.batches(32), shuffle=False, callbacks=[pruning], **options)
    with pytest.raises(InputError, match="did not train on all.*without `steps_per_epoch`"):
        model.fit(batches, steps_per_epoch=2, callbacks=[pruning], **options)
    with pytest.raises(InputError, match="fit is longer than the run. Expected epochs=4"):
        model.fit(batches, callbacks=[pruning], epochs=5, verbose=0)
    with pytest.raises(InputError, match="Expected a Keras model. Received: int"):
        pruning.recording(3)


def test_a_mean_by_the_sum_of_the_weights_is_refused(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    model = pruning.recording(network())
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    model.compile("sgd", loss)
    with pytest.raises(InputError, match="Invalid reduction.*gradients unbiased"):
        model.fit(pruning.batches(32), epochs=4, callbacks=[pruning], verbose=0)


@pytest.mark.parametrize("weights", [np.ones(3), ["a"] * 130, np.ones((130, 2))])
def test_wrong_sample_weights_are_refused(examples, weights):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    with pytest.raises(InputError, match="Invalid `sample_weight`. Expected a number for each"):
        pruning.batches(32, sample_weight=weights)


def test_a_diverged_run_is_an_error(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    model = pruning.recording(network())
    model.compile(keras.optimizers.SGD(float("nan")), LOSS)
    with pytest.raises(InputError, match="Training diverged. Expected finite losses"):
        model.fit(pruning.batches(32), epochs=4, callbacks=[pruning], verbose=0)


def test_a_model_goes_from_one_method_to_another(examples):
    model = network()
    for name in ("infobatch", "orderdp"):
        pruning = kp.dynamic.get({"name": name, "loss": "batch"}, examples, 3)
        pruning.recording(model)
        model.compile("sgd", LOSS)
        model.fit(pruning.batches(32), epochs=3, callbacks=[pruning], verbose=0)
        assert len(pruning.history) == 3
