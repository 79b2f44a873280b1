"""Several steps in one call of the training graph: the same steps, the same bits."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning.config import TrainingConfig
from keras_pruning.models import loading
from keras_pruning.training import fit
from keras_pruning.training.steps import steps_per_execution


class Traces(keras.losses.SparseCategoricalCrossentropy):
    """A loss that counts how often it is traced."""

    count = 0

    def call(self, y_true, y_pred):
        Traces.count += 1
        return super().call(y_true, y_pred)


def test_the_steps_divide_the_epoch():
    assert steps_per_execution(12) == 12
    assert steps_per_execution(469) == 67
    assert steps_per_execution(257) == 1
    assert steps_per_execution(500) == 125


def test_a_callback_that_looks_at_batches_sees_each_of_them():
    examples = small.digits(60)
    assert steps_per_execution(12, [small.Rates()]) == 1
    look = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *batch: None)
    assert steps_per_execution(12, [look]) == 1
    assert steps_per_execution(12, [keras.callbacks.EarlyStopping()]) == 12
    assert steps_per_execution(12, [kp.ScoreCallback(examples, ["el2n"])]) == 12
    assert steps_per_execution(12, [keras.callbacks.History()]) == 12


@pytest.mark.parametrize("budget, full_size", [("epochs", None), ("steps", 280)])
def test_the_bits_do_not_depend_on_the_steps_per_call(budget, full_size):
    """An epoch of 280 : 20 = 14 steps on 110 examples ends within a pass of 6 steps."""
    examples, weights = small.digits(110), []
    for callbacks in ([], [small.Rates()]):
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, 10, width=4)
        options = TrainingConfig(epochs=3, batch_size=20, budget=budget, augmentation="flip_crop")
        log = fit.train(model, examples, options, full_size=full_size, callbacks=callbacks)
        weights.append(model.get_weights())
    assert len(callbacks[0].rates) == log.steps
    for one, several in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, several)


def test_recorded_scores_do_not_depend_on_the_steps_per_call():
    examples, tables = small.digits(110), []
    for callbacks in ([], [small.Rates()]):
        keras.utils.set_random_seed(0)
        model = loading.build("mlp", examples.spec, 10, width=16)
        scores = kp.ScoreCallback(examples, ["aum", "forgetting"])
        options = TrainingConfig(epochs=3, batch_size=20)
        fit.train(model, examples, options, callbacks=[scores, *callbacks])
        tables.append(scores.table())
    for name in tables[0].names:
        np.testing.assert_array_equal(tables[0][name], tables[1][name])


def test_the_training_step_is_traced_once(monkeypatch):
    examples = small.digits(60)
    monkeypatch.setattr(keras.losses, "SparseCategoricalCrossentropy", Traces)
    monkeypatch.setattr(Traces, "count", 0)
    model = loading.build("mlp", examples.spec, 10, width=16)
    fit.train(model, examples, TrainingConfig(epochs=1, batch_size=30))
    assert Traces.count == 1
