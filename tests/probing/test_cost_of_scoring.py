"""The cost of scoring: examples that pass through the model, and its operations."""

import keras
import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning.backend.tensorflow import flops
from keras_pruning.probing.checkpoints import record_checkpoints
from keras_pruning.probing.collectors.passes import Passes, passes_of
from keras_pruning.probing.cost import total_cost
from keras_pruning.probing.cost_of_passes import cost_of
from keras_pruning.scores import EL2N, GraNd, PredictionDepth, Prototype, VoG
from keras_pruning.training import fit as training

N, EPOCHS = 30, 3


def total(passes):
    return Passes(
        *(
            sum(getattr(part, name) for part in passes)
            for name in ("forward", "weight_gradients", "input_gradients", "other_models")
        )
    )


@pytest.fixture(scope="module")
def model():
    return small.network(small.random_images(N))


def passes(model, scores, support=None):
    """Returns the `Passes` of scoring 30 examples with three checkpoints."""
    examples = small.random_images(N)
    return total(passes_of(record_checkpoints([model] * EPOCHS, examples, scores, 256, support)))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # Two scores that are due at one moment share a pass.
        ([EL2N(epoch=2), kp.scores.Loss(epoch=2)], Passes(N)),
        (["forgetting"], Passes(EPOCHS * N)),
        # The gradients of the last layer come without any.
        ([GraNd(epoch=1, weights="last_layer")], Passes(N)),
        ([GraNd(epoch=1)], Passes(0, N)),
        ([GraNd(epoch=1), EL2N(epoch=1)], Passes(N, N)),
        ([VoG(every=1)], Passes(0, 0, EPOCHS * N)),
        ([PredictionDepth(k=3)], Passes(N)),
    ],
)
def test_passes_by_hand(scores, expected, model):
    assert passes(model, scores) == expected


def test_the_support_passes_too(model):
    support = small.random_images(40, seed=1)
    assert passes(model, [Prototype()], support) == Passes(N + 40)


@pytest.mark.slow
@pytest.mark.parametrize(("verify", "checked"), [(True, 2 * N), (False, 0)])
def test_checks_of_the_examples_are_passes(verify, checked):
    """After the first and the last epoch of a fit."""
    examples = small.random_images(N)
    callback = kp.ScoreCallback(examples, [EL2N(epoch=1)], verify=verify)
    small.fit(small.network(examples), examples, EPOCHS, [callback])
    callback.table()
    assert total(callback.passes) == Passes(N + checked)


def test_embeddings_of_files_pass_through_no_model(tmp_path):
    examples = small.random_images(N)
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).normal(size=(N, 4)))
    scores = [Prototype(embedding=str(tmp_path / "vectors.npy"))]
    recorder = record_checkpoints([], examples, scores)
    assert passes_of(recorder) == [Passes(searches=True)]
    cost = cost_of(passes_of(recorder), 1.0)
    assert (cost["flops"], cost["searches"]) == (0, True)


def test_operations_of_all_passes_by_hand():
    """In a dense layer without bias, forward 2 · inputs · classes for each example."""
    examples = small.random_images(N)
    model = keras.Sequential(
        [
            keras.Input(examples.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(3, use_bias=False),
        ]
    )
    product = 2 * 64 * 3
    cost = cost_of([Passes(N), Passes(0, N, 0)], 2.0, model, examples.spec, 5 * N, 100)
    assert cost["flops"] == 100 + N * product + N * flops.weight_gradient_flops(
        model, examples.spec
    )
    # Forward and by the weights, with a few operations for the loss
    assert 0 <= cost["flops"] - 100 - 3 * N * product < 30 * N
    del cost["flops"]
    assert cost == {
        "seconds": 2.0,
        "examples_seen": 5 * N,
        "examples_forward": N,
        "examples_with_gradients": N,
        "searches": False,
    }
    # By the input: one product, the weights with the gradient of a logit
    of_input = cost_of([Passes(0, 0, N)], 2.0, model, examples.spec)["flops"]
    assert of_input == pytest.approx(N * product, rel=0.02)


def test_operations_that_are_not_known(model):
    examples = small.random_images(N)
    assert cost_of([Passes(N)], 1.0, model, examples.spec, N, None)["flops"] is None
    # Another model has embedded the examples.
    elsewhere = cost_of([Passes(0, 0, 0, N)], 1.0, model, examples.spec)
    assert (elsewhere["flops"], elsewhere["examples_forward"]) == (None, N)


def test_the_cost_of_several_probes():
    probe = {"seconds": 3.0, "examples_seen": 1, "examples_forward": 2}
    first = {**probe, "examples_with_gradients": 3, "flops": 4}
    found = total_cost([first, {**first, "flops": None, "searches": True}], 5.0)
    assert found == {
        "seconds": 5.0,
        "examples_seen": 2,
        "examples_forward": 4,
        "examples_with_gradients": 6,
        "flops": None,
        "searches": True,
    }
    # An earlier version wrote the other probe.
    assert total_cost([first, probe], 5.0)["examples_with_gradients"] is None


def test_operations_of_a_training_run(model):
    examples = small.random_images(N)
    options = kp.config.TrainingConfig(epochs=1, batch_size=16)
    of_example = flops.training_flops(model, examples.spec, 16)
    assert training.training_flops(model, examples, options, 70) == round(70 * of_example)
    # A batch is never larger than the examples.
    options = kp.config.TrainingConfig(epochs=1, batch_size=500)
    of_example = flops.training_flops(model, examples.spec, N)
    assert training.training_flops(model, examples, options, 70) == round(70 * of_example)
