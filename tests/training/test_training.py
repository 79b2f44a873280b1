import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.config import TrainingConfig
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models import loading
from keras_pruning.training import evaluation, fit, optimizers
from keras_pruning.training.steps import examples_in


@pytest.fixture(scope="module")
def examples():
    return small.digits(300)


def trained(examples, seed=0, full_size=None, stop_epoch=None, callbacks=(), **options):
    """Returns a small model and the log of its training."""
    keras.utils.set_random_seed(seed)
    model = loading.build("mlp", examples.spec, 10, width=16)
    log = fit.train(
        model,
        examples,
        TrainingConfig(**{"epochs": 2, **options}),
        full_size=full_size,
        stop_epoch=stop_epoch,
        seed=seed,
        callbacks=callbacks,
    )
    return model, log


def test_a_step_by_hand():
    """Nesterov with coupled decay: g = ∂loss/∂w + l2·w; v = m·v − lr·g; w += m·v − lr·g."""
    optimizer = optimizers.SGD(0.1, learning_rate=0.5, momentum=0.9, nesterov=True)
    weight = keras.Variable([2.0])
    w, v = 2.0, 0.0
    optimizer.build([weight])
    for gradient in (1.0, -3.0, 0.5):
        optimizer.apply([keras.ops.convert_to_tensor([gradient])], [weight])
        g = gradient + 0.1 * w
        v = 0.9 * v - 0.5 * g
        w += 0.9 * v - 0.5 * g
        np.testing.assert_allclose(weight.numpy(), [w], 1e-6)


def test_the_optimizer_is_made_again_from_its_config():
    optimizer = optimizers.SGD(0.1, learning_rate=0.5, momentum=0.9)
    again = optimizers.SGD.from_config(optimizer.get_config())
    assert (again.l2, again.momentum) == (0.1, 0.9)


def test_the_step_schedule_falls_to_a_fifth_three_times(examples):
    recorder = small.Rates()
    trained(examples, epochs=10, batch_size=30, learning_rate=0.1, callbacks=[recorder])
    expected = [0.1] * 30 + [0.02] * 30 + [0.004] * 20 + [0.0008] * 20
    np.testing.assert_allclose(recorder.rates, expected, 1e-5)


def test_cosine_and_constant_rates(examples):
    cosine, constant = small.Rates(), small.Rates()
    trained(examples, epochs=2, batch_size=30, schedule="cosine", callbacks=[cosine])
    trained(examples, epochs=2, batch_size=30, schedule="constant", callbacks=[constant])
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(20) / 20))
    np.testing.assert_allclose(cosine.rates, expected, atol=1e-6)
    np.testing.assert_allclose(constant.rates, 0.1, 1e-6)


@pytest.mark.parametrize(
    ("budget", "steps", "seen"), [("steps", 20, 5 * 100), ("epochs", 8, 2 * 100)]
)
def test_the_budget_counts_steps_or_epochs(budget, steps, seen, examples):
    """100 of 300 examples in batches of 30: four steps a pass, the last one of ten examples."""
    kept, recorder = examples.draw(1 / 3), small.Rates()
    _, log = trained(kept, full_size=300, budget=budget, batch_size=30, callbacks=[recorder])
    assert log.steps == steps == len(recorder.rates)
    assert log.examples_seen == seen
    assert recorder.rates[-1] == pytest.approx(0.0008, 1e-4)


def test_a_budget_that_ends_inside_a_pass():
    assert examples_in(7, 100, 30) == 100 + 3 * 30
    assert examples_in(8, 100, 30) == 200
    assert examples_in(3, 10, 30) == 30


@pytest.mark.slow
def test_full_data_train_the_same_under_both_budgets(examples):
    (first, _), (second, _) = (trained(examples, budget=budget) for budget in fit.BUDGETS)
    for ours, theirs in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_another_does_not(examples):
    options = {"augmentation": "flip_crop"}
    weights = [trained(examples, seed, **options)[0].weights for seed in (1, 1, 2)]
    for first, second in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_seeds_of_probes_and_of_training_never_meet():
    probes = {fit.derived_seed("probe", seed) for seed in range(50)}
    assert len(probes) == 50
    assert probes.isdisjoint(fit.derived_seed("training", seed) for seed in range(50))


def test_stopping_early_follows_the_schedule_of_the_whole_run(examples):
    recorder = small.Rates()
    _, log = trained(examples, epochs=10, stop_epoch=3, batch_size=30, callbacks=[recorder])
    assert log.steps == len(recorder.rates) == 30
    np.testing.assert_allclose(recorder.rates, 0.1, 1e-6)


def test_it_learns_and_leaves_the_model_uncompiled(examples):
    model, _ = trained(examples, epochs=20, batch_size=32)
    assert not model.compiled
    metrics = evaluation.evaluate(model, kp.load_examples("digits", "test"))
    assert metrics["test_accuracy"] > 0.85


def test_evaluate_by_hand():
    x = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]], "float32"))
    identity = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, use_bias=False)])
    identity.layers[0].kernel.assign(np.eye(3))
    examples = kp.Examples.from_arrays(x, np.array([0, 1, 1]), num_classes=3)
    metrics = evaluation.evaluate(identity, examples, batch_size=2)
    assert metrics["test_accuracy"] == pytest.approx(2 / 3)
    assert metrics["test_loss"] == pytest.approx(-np.log([0.5, 0.8, 0.2]).mean(), 1e-5)
    assert metrics["class_accuracy"] == [1.0, 0.5, None]


@pytest.mark.slow
def test_a_model_that_ends_in_a_softmax_trains_on_its_logits(examples):
    keras.utils.set_random_seed(0)
    plain = loading.build("mlp", examples.spec, 10, width=16)
    keras.utils.set_random_seed(0)
    inside = loading.build("mlp", examples.spec, 10, width=16)
    inside = keras.Model(inside.inputs, keras.layers.Softmax()(inside.outputs[0]))
    for model in (plain, inside):
        fit.train(model, examples, TrainingConfig(epochs=2))
    for ours, theirs in zip(plain.weights, inside.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_loss_that_is_not_finite_is_an_error(examples):
    with pytest.raises(
        InputError, match="Training diverged. Expected a finite loss. Received: loss"
    ):
        trained(examples, learning_rate=1e8, epochs=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"budget": "time"},
            "Invalid `budget`. Expected 'steps' or 'epochs'. Received: budget='time'",
        ),
        ({"schedule": "linear"}, "Unknown learning rate schedule.*Received: 'linear'"),
        ({"optimizer": "sdg"}, "Unknown optimizer.*Received: 'sdg'"),
        ({"augmentation": "rotate"}, "Unknown augmentation.*'flip_crop'.*Received: 'rotate'"),
    ],
)
def test_refuses_unknown_options(options, message, examples):
    with pytest.raises(InputError, match=message):
        trained(examples, **options)


def test_the_default_optimizer_follows_the_papers():
    optimizer = optimizers.make_optimizer("sgd", 0.1, 5e-4)
    assert (optimizer.momentum, optimizer.nesterov, optimizer.l2) == (0.9, True, 5e-4)
    assert optimizer.weight_decay is None


def test_refuses_to_crop_vectors():
    vectors = kp.Examples.from_arrays(np.zeros((40, 6), "float32"), np.arange(40) % 3)
    model = loading.build("mlp", ArraySpec((6,)), 3)
    with pytest.raises(InputError, match="augmentation 'flip_crop' takes images"):
        fit.train(model, vectors, TrainingConfig(epochs=1, augmentation="flip_crop"))


def test_a_hidden_softmax_is_refused_before_training(examples):
    inputs = keras.Input(examples.shape)
    x = keras.layers.Dense(10)(keras.layers.Flatten()(inputs))
    hidden = keras.layers.Lambda(lambda z: keras.ops.softmax(z))(x)
    with pytest.raises(InputError, match="ends in a softmax"):
        fit.train(keras.Model(inputs, hidden), examples, TrainingConfig(epochs=1))
    seen = keras.Model(inputs, keras.ops.softmax(x))
    fit.train(seen, examples, TrainingConfig(epochs=1))


def test_other_optimizers_by_name():
    optimizer = optimizers.make_optimizer("adamw", 1e-3, 0.01)
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert optimizer.weight_decay == pytest.approx(0.01)
