import numpy as np
import pytest
from support import small
from support.depth_by_loops import depth_of_votes, outputs_of, probe_votes

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import PredictionDepth
from keras_pruning.scores.prediction_depth import accuracy_by_depth, depth

A, B, C = 0, 1, 2


def test_depth_by_hand():
    probes = np.array([[A, B, B, B], [B] * 4, [B, B, B, A], [B, A, B, A], [A, A, B, B]]).T
    final = np.array([B, B, B, A, B])
    np.testing.assert_array_equal(depth(probes, final), [1, 0, 4, 3, 2])


def test_accuracy_by_depth_by_hand():
    correct = np.array([True, False, True, True, False, False])
    assert accuracy_by_depth(np.array([3, 0, 0, 3, 3, 7]), correct) == [
        {"depth": 0, "examples": 2, "accuracy": 0.5},
        {"depth": 3, "examples": 3, "accuracy": 2 / 3},
        {"depth": 7, "examples": 1, "accuracy": 0.0},
    ]


@pytest.mark.parametrize("support_fraction", [pytest.param(1.0, marks=pytest.mark.slow), 0.5])
@pytest.mark.parametrize("against", ["prediction", "label"])
def test_the_same_as_on_scikit_learns_neighbours(support_fraction, against):
    examples = small.digits(300)
    model = small.network(examples)
    small.fit(model, examples, epochs=4)
    score = PredictionDepth(k=10, support_fraction=support_fraction, against=against)
    table = kp.score_checkpoints([model], examples, [score])
    score.reset(examples, [1])
    assert len(score.support) == 300 * support_fraction
    features, predictions = outputs_of(model, examples, ["norm", "hidden"])
    final = predictions if against == "prediction" else examples.labels
    votes, clear = probe_votes(features, features, examples.labels, score.support, 10, own=True)
    expected = depth_of_votes(votes, final)
    assert clear.mean() > 0.9
    assert len(np.unique(expected[clear])) > 2
    np.testing.assert_array_equal(table["prediction_depth"][clear], expected[clear])


def test_layer_votes_run_from_the_input_to_the_softmax():
    examples = small.digits(60)
    model = small.network(examples)
    table = kp.score_checkpoints([model], examples, [PredictionDepth(k=3)])
    details = table.metadata["scores"]["prediction_depth"]
    assert list(details["probe_accuracy"]) == ["input", "norm", "hidden", "softmax"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "Invalid `k`. Expected a positive integer. Received: k=0"),
        ({"k": None}, "Invalid `k`. Expected a positive integer. Received: k=None"),
        ({"support_count": 0}, "Invalid `support_count`. Expected a positive integer"),
        ({"support_count": 2.5}, "Invalid `support_count`. Expected a positive integer"),
        ({"support_count": 9, "support_fraction": 0.5}, "Expected .* or .*Received both: .*0.5.*9"),
        ({"max_dimension": 0}, "Invalid `max_dimension`. Expected a positive integer"),
        ({"support_fraction": 0}, "Invalid `support_fraction`. Expected.*Received"),
        ({"support_fraction": "half"}, "Invalid `support_fraction`. Expected.*Received"),
        ({"against": "labels"}, "Invalid `against`. Expected 'prediction' or 'label'"),
        ({"layers": "conv"}, "Invalid `layers`. Expected a list of layer names"),
        ({"layers": -1}, "Invalid `layers`"),
        ({"layers": 2.5}, "Invalid `layers`"),
        ({"layers": True}, "Invalid `layers`"),
        ({"include_self": "no"}, "Invalid `include_self`"),
        ({"seed": -1}, "Invalid `seed`. Expected an integer >= 0. Received: seed=-1"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        PredictionDepth(**arguments)


@pytest.mark.parametrize(
    ("layers", "message"),
    [(["nope"], "Unknown layers.*conv.*Received: 'nope'"), (9, "Expected at most 2")],
)
def test_refuses_layers_that_are_not_there(layers, message):
    examples = small.digits(60)
    with pytest.raises(InputError, match=message):
        kp.score_checkpoints(
            [small.network(examples)], examples, [PredictionDepth(layers=layers, k=3)]
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"support_fraction": 0.5}, "too small. Expected more than k.*k=30, support of 30"),
        ({"support_count": 30}, "support is too small.*k=30, support of 30"),
        ({"support_count": 61}, "`support_count`. Expected at most 60.*Received: .*=61"),
    ],
)
def test_refuses_a_support_that_is_too_small_or_too_large(options, message):
    examples = small.digits(60)
    score = PredictionDepth(**options)
    with pytest.raises(InputError, match=message):
        kp.score_checkpoints([small.network(examples)], examples, [score])


def test_include_self_makes_each_example_its_own_neighbour():
    examples = small.random_images(40, classes=2)
    model = small.network(examples)
    score = PredictionDepth(k=1, include_self=True, against="label")
    with pytest.warns(UserWarning, match="`prediction_depth` is the same for all examples: 0"):
        table = kp.score_checkpoints([model], examples, [score])
    np.testing.assert_array_equal(table["prediction_depth"], 0)


def test_the_seed_draws_the_support():
    examples = small.digits(200)
    supports = []
    for seed in (0, 0, 1):
        score = PredictionDepth(k=5, support_fraction=0.5, seed=seed)
        score.reset(examples, [1])
        supports.append(score.support)
        np.testing.assert_array_equal(np.bincount(examples.labels[score.support]), 10)
    np.testing.assert_array_equal(supports[0], supports[1])
    assert (supports[0] != supports[2]).any()
