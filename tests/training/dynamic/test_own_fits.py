"""Models with a `fit` of their own, their clones, and fits that need another message."""

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


class PassesOn(keras.Sequential):
    def fit(self, x=None, y=None, **kwargs):
        return super().fit(x, y, **kwargs)


class PassesAll(keras.Sequential):
    def fit(self, *args, **kwargs):
        assert args[0] is not None
        return super().fit(*args, **kwargs)


class HasItsOwn(keras.Sequential):
    """Takes fewer arguments than Keras in another order, and one more."""

    def fit(self, x, callbacks, epochs=1, *, extra):
        assert extra == 3
        return super().fit(x, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False)


def layers():
    return [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]


def recorded(pruning, make=keras.Sequential, **options):
    keras.utils.set_random_seed(0)
    model = pruning.recording(make(layers()))
    model.compile(keras.optimizers.SGD(0.05), LOSS, **options)
    return model


def test_a_fit_of_its_own_gets_its_arguments(examples):
    def by_name(model, batches, pruning):
        options = {"class_weight": {3: 2.0}, "callbacks": [pruning]}
        model.fit(batches, epochs=4, verbose=0, **options)

    def by_position(model, batches, pruning):
        options = {"class_weight": {3: 2.0}}
        model.fit(batches, None, None, 4, 0, [pruning], **options)

    weights = []
    for make, fit in [
        (keras.Sequential, by_name),
        (keras.Sequential, by_position),
        (PassesOn, by_name),
        (PassesAll, by_name),
        (PassesAll, by_position),
    ]:
        pruning = kp.dynamic.InfoBatch(examples, 4, r=0.9)
        model = recorded(pruning, make)
        fit(model, pruning.batches(32), pruning)
        assert len(pruning.history) == 4 and pruning.saved > 0
        weights.append(model.get_weights()[0])
    for other in weights[1:]:
        np.testing.assert_array_equal(other, weights[0])


@pytest.mark.parametrize("make", [keras.Sequential, PassesAll])
def test_the_bar_ends_with_each_epoch(examples, make, capsys):
    pruning = kp.dynamic.InfoBatch(examples, 4, r=0.9, delta=1)
    recorded(pruning, make).fit(pruning.batches(10), None, None, 4, 1, [pruning])
    printed = capsys.readouterr().out
    steps = [-(-log.kept // 10) for log in pruning.history]
    assert steps[1] < steps[0] == 13
    for count in steps:
        assert f"{count}/{count}" in printed


def test_a_fit_of_its_own_with_other_arguments(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    model = recorded(pruning, HasItsOwn)
    model.fit(pruning.batches(32), [pruning], 4, extra=3)
    assert len(pruning.history) == 4


def test_a_fit_of_its_own_without_the_callback(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    for make in (PassesOn, PassesAll):
        with pytest.raises(InputError, match="need it as a callback"):
            recorded(pruning, make).fit(pruning.batches(32), epochs=4, verbose=0)


@pytest.mark.parametrize("loss", ["example", "batch"])
def test_a_clone_trains_and_records_nothing(examples, loss):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss=loss)
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Dense(10)(keras.layers.Flatten()(inputs))
    model = pruning.recording(keras.Model(inputs, outputs))
    clone = keras.models.clone_model(model)
    clone.compile("sgd", LOSS)
    clone.fit(examples.batches(32), shuffle=False, verbose=0)
    assert np.isinf(pruning.losses.read()).all()
    with pytest.raises(InputError, match="need it as a callback"):
        clone.fit(pruning.batches(32), epochs=4, callbacks=[pruning], verbose=0)
    unused = kp.dynamic.InfoBatch(examples, 4)
    with pytest.raises(InputError, match="need it as a callback"):
        clone.fit(unused.batches(32), epochs=4, callbacks=[unused], verbose=0)


@pytest.mark.parametrize("loss", ["example", "batch"])
@pytest.mark.parametrize("class_weight", [None, {1: 2.0}])
def test_batches_that_lost_their_weights(examples, loss, class_weight):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss=loss)
    batches = pruning.batches(32).map(lambda x, y, weight: (x, y))
    options = {"callbacks": [pruning], "class_weight": class_weight, "verbose": 0}
    with pytest.raises(InputError, match=r"has no weights. Expected `map` to return all three"):
        recorded(pruning).fit(batches, epochs=4, **options)


def test_weights_of_classes_need_one_output(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4, loss="batch")
    inputs = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, [keras.layers.Dense(10)(flat), keras.layers.Dense(10)(flat)])
    model = pruning.recording(model)
    model.compile("sgd", [LOSS, LOSS])
    batches = pruning.batches(32).map(lambda x, y, weight: (x, (y, y), weight))
    options = {"callbacks": [pruning], "class_weight": {1: 2.0}, "verbose": 0}
    with pytest.raises(InputError, match="`class_weight`.*Expected one output. Received: 2 arrays"):
        model.fit(batches, epochs=4, **options)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_weights_that_are_no_weights_are_refused(examples, wrong):
    weights = np.ones(130)
    weights[[3, 5]] = wrong
    with pytest.raises(InputError, match="Invalid `sample_weight`. Expected.*Received: 2 .*row 3"):
        kp.dynamic.InfoBatch(examples, 4).batches(32, sample_weight=weights)
    kp.dynamic.InfoBatch(examples, 4).batches(32, sample_weight=np.zeros(130))


def test_xla_is_used_only_if_it_is_asked_for(examples, monkeypatch):
    """Keras would use it by default on a GPU, and compile each epoch anew."""
    monkeypatch.setattr(keras.Model, "_resolve_auto_jit_compile", lambda self: True)
    pruning = kp.dynamic.InfoBatch(examples, 4)
    assert recorded(pruning).jit_compile is False
    assert recorded(pruning, jit_compile=True).jit_compile is True
    plain = keras.Sequential(layers())
    plain.compile("sgd", LOSS)
    assert plain.jit_compile is True


def test_a_model_that_records_scores_cannot_be_pruned(examples):
    """One fit does one of both."""
    callback = kp.ScoreCallback(examples, ["aum"])
    for loss in ("example", "batch"):
        model = callback.recording(keras.Sequential(layers()))
        pruning = kp.dynamic.InfoBatch(examples, 4, loss=loss)
        with pytest.raises(InputError, match="Choose loss='batch'|cannot be recorded"):
            model = pruning.recording(model)
            model.compile("sgd", LOSS)
            model.fit(pruning.batches(32), epochs=4, callbacks=[pruning], verbose=0)
