"""The support of prediction depth: its neighbours, its dimensions and its metadata."""

import re

import keras
import numpy as np
import pytest
from support import small
from support.depth_by_loops import depth_of_votes, outputs_of, probe_votes

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.embeddings.random_projection import random_projection
from keras_pruning.models import loading
from keras_pruning.scores import PredictionDepth

LAYERS = ["norm", "hidden"]


@pytest.fixture(scope="module")
def examples():
    return small.digits(300)


@pytest.fixture(scope="module")
def others():
    return kp.load_examples("digits", split="test", fraction=0.4)


@pytest.fixture(scope="module")
def model(examples):
    model = small.network(examples)
    small.fit(model, examples, epochs=4)
    return model


def scored(model, examples, score, support=None):
    """Returns the depths, their details, and the rows that may be neighbours."""
    table = kp.score_checkpoints([model], examples, [score], support=support)
    rows = type(score)(**score.get_config())
    rows.reset(examples, [1], support)
    details = table.metadata["scores"]["prediction_depth"]
    return table["prediction_depth"], details, rows.support


def reference(model, examples, rows, k, support=None):
    """Returns votes, depths and the clear examples by loops, and the network's classes."""
    features, predictions = outputs_of(model, examples, LAYERS)
    if support is None:
        support, theirs = examples, features
    else:
        theirs, _ = outputs_of(model, support, LAYERS)
    own = support is examples
    votes, clear = probe_votes(features, theirs, support.labels, rows, k, own)
    return votes, depth_of_votes(votes, predictions), clear, predictions


def test_a_support_of_a_number_equals_a_support_of_a_part(model, examples):
    (by_count, details, rows), (by_fraction, _, expected) = (
        scored(model, examples, PredictionDepth(k=5, seed=2, **options))
        for options in ({"support_count": 60}, {"support_fraction": 0.2})
    )
    assert details["support"] == len(rows) == 60
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(by_count, by_fraction)
    np.testing.assert_array_equal(np.bincount(examples.labels[rows]), 6)


@pytest.mark.parametrize("options", [{}, {"support_count": 150}])
def test_examples_that_were_not_trained_on(model, examples, others, options):
    """Row i of the examples is not row i of the support."""
    found, details, rows = scored(model, others, PredictionDepth(k=10, **options), examples)
    votes, expected, clear, predictions = reference(model, others, rows, 10, examples)
    assert len(found) == len(others) == 144 and clear.mean() > 0.9
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(found[clear], expected[clear])
    assert details["support"] == options.get("support_count", 300)
    accuracies = (votes == others.labels).mean(axis=1)
    np.testing.assert_allclose(list(details["probe_accuracy"].values()), accuracies, atol=0.02)
    assert details["network_accuracy"] == (predictions == others.labels).mean()


def test_k_may_be_all_of_another_support(model, examples, others):
    few = small.digits(30)
    assert scored(model, others, PredictionDepth(k=30), few)[1]["support"] == 30
    with pytest.raises(InputError, match="support is too small"):
        scored(model, few, PredictionDepth(k=30))
    with pytest.raises(InputError, match="support is too small.*k=31, support of 30"):
        scored(model, others, PredictionDepth(k=31), few)


def test_the_metadata_say_which_examples_the_support_is(model, examples, others):
    score = PredictionDepth(k=5)
    table = kp.score_checkpoints([model], others, [score], support=examples)
    assert table.metadata["support"] == examples.provenance
    assert table.metadata["examples"] == others.provenance
    assert "support" not in kp.score_checkpoints([model], others, [score]).metadata


def test_a_support_of_the_examples_themselves_leaves_each_out(model, examples):
    same = small.digits(300)
    assert same is not examples
    table = kp.score_checkpoints([model], examples, [PredictionDepth(k=1)], support=same)
    expected, _, _ = scored(model, examples, PredictionDepth(k=1))
    np.testing.assert_array_equal(table["prediction_depth"], expected)
    assert "support" not in table.metadata
    # Otherwise the nearest neighbour in the input would always be of the own class.
    assert table.metadata["scores"]["prediction_depth"]["probe_accuracy"]["input"] < 1


@pytest.mark.slow
def test_the_callback_takes_neighbours_from_the_support(examples, others):
    model = small.network(examples)
    scores = [PredictionDepth(k=10), "el2n"]
    callback = kp.ScoreCallback(others, scores, support=examples)
    small.fit(model, examples, 3, [callback])
    table = kp.score_checkpoints([model], others, scores, support=examples)
    np.testing.assert_array_equal(callback.table()["prediction_depth"], table["prediction_depth"])
    assert callback.table().metadata["support"] == examples.provenance
    without, _, _ = scored(model, others, PredictionDepth(k=10))
    assert (without != table["prediction_depth"]).mean() > 0.05


@pytest.mark.parametrize("shape, classes", [((4, 4, 1), 10), ((8, 8, 1), 9)])
def test_a_support_of_another_kind_is_refused(model, examples, shape, classes):
    support = small.random_images(40, shape, classes)
    message = r"Invalid `support`. Expected.*\(8, 8, 1\) and 10 classes. Received.*"
    message += rf"{re.escape(str(shape))} and {classes}"
    with pytest.raises(InputError, match=message):
        kp.ScoreCallback(examples, ["prediction_depth"], support=support)
    with pytest.raises(InputError, match=message):
        kp.score_checkpoints([model], examples, ["prediction_depth"], support=support)


@pytest.mark.slow
def test_the_details_equal_the_measured_values():
    examples = small.random_images(200, seed=1)
    model = small.network(examples)
    small.fit(model, examples, epochs=6)
    found, details, rows = scored(model, examples, PredictionDepth(k=10, support_fraction=0.5))
    votes, depths, clear, predictions = reference(model, examples, rows, 10)
    assert clear.mean() > 0.95 and len(np.unique(depths)) == 5
    np.testing.assert_array_equal(found[clear], depths[clear])
    correct = predictions == examples.labels
    assert details["support"] == 100
    assert details["network_accuracy"] == correct.mean()
    assert list(details["probe_accuracy"]) == ["input", *LAYERS, "softmax"]
    accuracies = (votes == examples.labels).mean(axis=1)
    unclear = (~clear).mean() + 1e-9
    np.testing.assert_allclose([*details["probe_accuracy"].values()], accuracies, atol=unclear)
    assert details["accuracy_by_depth"] == [
        {
            "depth": depth,
            "examples": int((found == depth).sum()),
            "accuracy": correct[found == depth].mean(),
        }
        for depth in np.unique(found)
    ]


def test_accuracy_by_depth_is_the_accuracy_of_the_network(model, examples):
    _, expected, _ = scored(model, examples, PredictionDepth(k=10))
    _, details, _ = scored(model, examples, PredictionDepth(k=10, against="label"))
    for name in ("network_accuracy", "probe_accuracy", "support"):
        assert details[name] == expected[name]
    last = details["accuracy_by_depth"][-1]
    assert last["depth"] == 4 and last["accuracy"] < 0.5


@pytest.fixture(scope="module")
def wide(examples):
    keras.utils.set_random_seed(0)
    model = small.compiled(loading.build("cnn", examples.spec, 10, width=64))
    small.fit(model, examples, epochs=3)
    return model


@pytest.mark.slow
def test_reduced_layers_give_nearly_the_depths_of_exact_ones(wide, examples):
    sizes = [layer.output.shape[1:] for layer in wide.layers if layer.name.endswith("relu")]
    assert [int(np.prod(size)) for size in sizes] == [1024, 512, 256]
    found = {
        limit: scored(wide, examples, PredictionDepth(k=10, max_dimension=limit))[0]
        for limit in (None, 2000, 512, 256, 8)
    }
    assert len(np.unique(found[None])) > 3
    np.testing.assert_array_equal(found[2000], found[None])
    agreement = {limit: (depths == found[None]).mean() for limit, depths in found.items()}
    assert agreement[512] > 0.9 and agreement[256] > 0.8
    assert agreement[8] < agreement[256]
    assert np.corrcoef(found[256], found[None])[0, 1] > 0.8


@pytest.mark.parametrize("max_dimension", [None, 16])
def test_depths_agree_with_neighbours_of_scikit_learn(model, examples, max_dimension):
    score = PredictionDepth(k=10, max_dimension=max_dimension, seed=3)
    found, _, rows = scored(model, examples, score)
    features, predictions = outputs_of(model, examples, LAYERS)
    if max_dimension is not None:  # the input and `norm`; the softmax never is
        features[:2] = [np.array(random_projection(each, 16, 3)) for each in features[:2]]
    votes, clear = probe_votes(features, features, examples.labels, rows, 10, own=True)
    assert clear.mean() > 0.95
    np.testing.assert_array_equal(found[clear], depth_of_votes(votes, predictions)[clear])


def test_the_softmax_is_never_reduced(examples, model):
    _, exact, _ = scored(model, examples, PredictionDepth(k=10))
    _, details, _ = scored(model, examples, PredictionDepth(k=10, max_dimension=2))
    for probe, accuracy in exact["probe_accuracy"].items():
        reduced = details["probe_accuracy"][probe]
        assert reduced == accuracy if probe == "softmax" else reduced < accuracy - 0.1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The score `prediction_depth` is the same")
@pytest.mark.parametrize("labels", ["the same", "others"])
def test_an_example_in_a_larger_support_is_not_its_own_neighbour(labels):
    """With random labels, an example that were its own nearest neighbour would be right."""
    examples = small.random_images(200, classes=4)
    part = examples.draw(0.5)
    if labels == "others":
        part = part.with_label_noise(0.3)
    model = small.network(examples)
    score = PredictionDepth(k=1, against="label")
    accuracies = {}
    for include_self in (False, True):
        score.include_self = include_self
        table = kp.score_checkpoints([model], part, [score], support=examples)
        details = table.metadata["scores"]["prediction_depth"]
        accuracies[include_self] = details["probe_accuracy"]["input"]
    assert accuracies[True] == pytest.approx(1.0 if labels == "the same" else 0.7)
    assert accuracies[False] < 0.5
