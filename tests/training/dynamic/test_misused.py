"""Fits that a dynamic method refuses."""

import keras
import numpy as np
import pytest
from support import small
from support.pruned import LOSS, compiled, network

import keras_pruning as kp
from keras_pruning import InputError


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


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


def test_a_fit_before_batches_is_one_message(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    options = {"epochs": 4, "callbacks": [pruning], "shuffle": False, "verbose": 0}
    with pytest.raises(InputError, match="other batches.*before `batches` of this InfoBatch was"):
        compiled(pruning).fit(examples.batches(32), **options)


def test_batches_of_other_arguments_are_refused(examples):
    pruning = kp.dynamic.InfoBatch(examples, 4)
    for _ in range(2):
        pruning.batches(32)
    weights = np.full(130, 2.0)
    with pytest.raises(InputError, match="Received: another batch_size, sample_weight. Make anot"):
        pruning.batches(64, sample_weight=weights)
    with pytest.raises(InputError, match="Received: another augmentation"):
        pruning.batches(32, augmentation=lambda x, draw: x)
    # Refused ones are not remembered
    pruning.batches(32, sample_weight=np.ones(130))


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


@pytest.mark.parametrize("wrong", [np.nan, -1.0, 1e39])
def test_sample_weights_that_float32_cannot_use(examples, wrong):
    weights = np.ones(130)
    weights[7] = wrong
    with pytest.raises(InputError, match="Invalid `sample_weight`.*1 others.*at row 7"):
        kp.dynamic.InfoBatch(examples, 4).batches(32, sample_weight=weights)


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


@pytest.mark.parametrize(
    "chosen, message",
    [
        (np.ones(130, bool), "integers.*bool of shape"),
        (np.array([1.0, 2.0]), "integers.*float64"),
        (np.array([], int), r"integers.*shape \(0,\)"),
        (np.array([0, 1, 1]), "each at most once. Received: 3 rows from 0 to 1, 2 of them"),
        (np.array([-1, 5]), "from 0 to 129.*from -1 to 5"),
        (np.array([0, 130]), "from 0 to 129.*from 0 to 130"),
        ((np.arange(3), np.ones(2)), "number for each of 3 rows"),
        ((np.arange(5, 8), np.array([1, np.nan, -1])), "2 others, the first of them nan at row 6"),
        ((np.arange(3), np.ones(3), 0), "a tuple of them and weights"),
        (None, "integers.*object"),
    ],
)
def test_rows_that_an_own_method_must_not_choose(examples, chosen, message):
    class Own(kp.dynamic.InfoBatch):
        def choose(self, epoch, losses, rng):
            return chosen

    pruning = Own(examples, 1)
    model, batches = compiled(pruning), pruning.batches(32)
    with pytest.raises(InputError, match=f"`Own.choose`.*{message}"):
        model.fit(batches, callbacks=[pruning], verbose=0)


@pytest.mark.parametrize(
    "weights", [{-1: 2.0}, {"a": 1.0}, {1.0: 2.0}, [1.0, 2.0], {1: np.nan}, {1: -1.0}, {1: "2"}]
)
def test_class_weights_that_are_none(examples, weights):
    pruning = kp.dynamic.InfoBatch(examples, 1)
    model, batches = compiled(pruning), pruning.batches(32)
    with pytest.raises(InputError, match="Invalid `class_weight`. Expected a dictionary"):
        model.fit(batches, callbacks=[pruning], class_weight=weights, verbose=0)


def test_an_empty_class_weight_changes_nothing(examples):
    trained = []
    for weights in (None, {}):
        pruning = kp.dynamic.InfoBatch(examples, 1)
        model, batches = compiled(pruning), pruning.batches(32)
        model.fit(batches, callbacks=[pruning], class_weight=weights, verbose=0)
        trained.append(model.get_weights())
    np.testing.assert_array_equal(*(weights[0] for weights in trained))
