import keras
import numpy as np
import pytest
import small
from sklearn.neighbors import NearestNeighbors

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.scores import PredictionDepth
from keras_pruning.scores.prediction_depth import depth

A, B, C = 0, 1, 2


def test_depth_by_hand():
    probes = np.array([[A, B, B, B], [B] * 4, [B, B, B, A], [B, A, B, A], [A, A, B, B]]).T
    final = np.array([B, B, B, A, B])
    np.testing.assert_array_equal(depth(probes, final), [1, 0, 4, 3, 2])


def outputs_of(model, examples, layers):
    """What the layers called `layers` give, by models of the test's own, and the logits."""
    x = examples.stored_inputs(np.arange(len(examples)))
    hidden = keras.Model(model.inputs[0], [model.get_layer(name).output for name in layers])(x)
    logits = np.asarray(model(x, training=False))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features = [np.reshape(each, (len(x), -1)) for each in [x, *hidden, softmax]]
    return features, logits.argmax(axis=1)


def reference_depth(features, labels, support, k, against):
    """Prediction depth by loops, on scikit-learn's neighbours in float64.

    Also says for which examples the set of neighbours is not a matter of taste.
    """
    votes, clear = [], np.ones(len(labels), bool)
    for values in features:
        values = np.asarray(values, np.float64)
        search = NearestNeighbors(n_neighbors=k + 2, algorithm="brute").fit(values[support])
        found = search.kneighbors(values, return_distance=False)
        voted = []
        for row in range(len(labels)):
            order = sorted(
                (
                    (((values[row] - values[support[place]]) ** 2).sum(), support[place])
                    for place in found[row]
                    if support[place] != row
                ),
            )
            clear[row] &= order[k][0] - order[k - 1][0] > 1e-6 * order[k][0]
            neighbours = [labels[place] for _, place in order[:k]]
            most = max(neighbours.count(label) for label in neighbours)
            voted.append(next(lab for lab in neighbours if neighbours.count(lab) == most))
        votes.append(voted)
    depths = []
    for row in range(len(labels)):
        agreeing = 0
        while agreeing < len(votes) and votes[-1 - agreeing][row] == against[row]:
            agreeing += 1
        depths.append(len(votes) - agreeing)
    return np.array(depths), clear


@pytest.mark.parametrize("support_fraction", [1.0, 0.5])
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
    expected, clear = reference_depth(features, examples.labels, score.support, 10, final)
    assert clear.mean() > 0.9
    assert len(np.unique(expected[clear])) > 2
    np.testing.assert_array_equal(table["prediction_depth"][clear], expected[clear])


def test_probes_run_from_the_input_over_the_layers_to_the_softmax():
    examples = small.digits(60)
    model = small.network(examples)
    table = kp.score_checkpoints([model], examples, [PredictionDepth(k=3)])
    details = table.metadata["scores"]["prediction_depth"]
    assert list(details["probe_accuracy"]) == ["input", "norm", "hidden", "softmax"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "Invalid `k`. Expected a positive integer. Received: k=0"),
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


def test_refuses_a_support_that_is_too_small():
    examples = small.digits(60)
    with pytest.raises(InputError, match="support is too small.*k=30, support of 30"):
        kp.score_checkpoints(
            [small.network(examples)], examples, [PredictionDepth(support_fraction=0.5)]
        )


def test_include_self_makes_each_example_its_own_neighbour():
    examples = small.random_images(40, classes=2)
    model = small.network(examples)
    score = PredictionDepth(k=1, include_self=True, against="label")
    np.testing.assert_array_equal(
        kp.score_checkpoints([model], examples, [score])["prediction_depth"], 0
    )


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


def test_a_model_that_diverged_is_refused():
    examples = small.digits(60)
    model = small.network(examples)
    model.layers[-1].kernel.assign(model.layers[-1].kernel * np.nan)
    with pytest.raises(InputError, match="does not give finite outputs"):
        kp.score_checkpoints([model], examples, [PredictionDepth(k=3)])
