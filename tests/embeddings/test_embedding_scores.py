"""Scores of embeddings on models of all kinds, through the drivers."""

import keras
import numpy as np
import pytest
from keras import layers
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.config import TrainingConfig
from keras_pruning.embeddings.requests import OUTPUT, Embedding
from keras_pruning.models.layers import PENULTIMATE
from keras_pruning.scores import PredictionDepth
from keras_pruning.scores.embedding_score import EmbeddingScore
from keras_pruning.scores.prediction_depth import vote_names
from keras_pruning.training import fit

# Trains and scores for many seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def examples():
    return small.digits(60)


class Subclassed(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = [layers.Dense(16, activation="relu", name=name) for name in ("a", "b")]
        self.head = layers.Dense(10, activation=activation, name="head")

    def call(self, x):
        x = self.flatten(x)
        for layer in self.hidden:
            x = layer(x)
        return self.head(x)


def functional(model, examples):
    """A functional model over the layers of a subclassed one."""
    inputs = keras.Input(examples.shape)
    hidden = model.hidden[1](model.hidden[0](model.flatten(inputs)))
    return keras.Model(inputs, model.head(hidden))


def depths(model, examples, **options):
    table = kp.score_checkpoints([model], examples, [PredictionDepth(k=3, **options)])
    return table["prediction_depth"], table.metadata["scores"]["prediction_depth"]


def test_a_subclassed_model_scores_like_its_functional_twin(examples, tmp_path):
    model = Subclassed()
    callback = kp.ScoreCallback(examples, [PredictionDepth(layers=["a", "b"], k=3), "aum"])
    options = TrainingConfig(epochs=3, learning_rate=0.05)
    fit.train(model, examples, options, callbacks=[callback])
    table = callback.table()
    twin = functional(model, examples)
    expected, details = depths(twin, examples)
    assert list(details["probe_accuracy"]) == ["input", "a", "b", "softmax"]
    assert len(np.unique(expected)) > 1
    for found, found_details in (
        (table["prediction_depth"], table.metadata["scores"]["prediction_depth"]),
        depths(model, examples, layers=["a", "b"]),
    ):
        np.testing.assert_array_equal(found, expected)
        assert found_details["probe_accuracy"] == details["probe_accuracy"]
    twin.save(tmp_path / "twin.keras")
    np.testing.assert_array_equal(depths(tmp_path / "twin.keras", examples)[0], expected)


@pytest.mark.parametrize(
    ("names", "message"),
    [(["nope"], "Unknown layers"), (None, "does not show the order"), (["twice"], "2 calls of it")],
)
def test_layers_that_cannot_be_seen_are_refused_before_training(examples, names, message):
    class Twice(Subclassed):
        def __init__(self):
            super().__init__()
            self.twice = layers.Dense(64, name="twice")

        def call(self, x):
            return super().call(self.twice(self.twice(self.flatten(x))))

    model = Twice()
    model(examples.stored_inputs(np.arange(2)))
    before = model.get_weights()
    callback = kp.ScoreCallback(examples, [PredictionDepth(layers=names, k=3)])
    with pytest.raises(InputError, match=message):
        small.fit(small.compiled(model), examples, callbacks=[callback])
    for weight, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The score `prediction_depth` is the same")
def test_a_model_that_was_never_called_is_scored_all_the_same(examples):
    model = small.compiled(Subclassed())
    callback = kp.ScoreCallback(examples, [PredictionDepth(layers=["a", "b"], k=3)])
    small.fit(model, examples, 1, [callback])
    assert len(callback.table()["prediction_depth"]) == 60


class HiddenLength(EmbeddingScore):
    name = "hidden_length"

    def embeddings(self, model):
        return [Embedding(OUTPUT), Embedding(PENULTIMATE)]

    def observe(self, signal):
        assert list(signal.features) == self.embeddings(None)
        return np.linalg.norm(signal.features[Embedding(PENULTIMATE)], axis=1)


@pytest.mark.slow
def test_scores_of_one_pass_see_their_own_signals(examples):
    model = small.network(examples)
    alone, _ = depths(model, examples)
    table = kp.score_checkpoints([model], examples, [HiddenLength(), PredictionDepth(k=3)])
    np.testing.assert_array_equal(table["prediction_depth"], alone)
    hidden = keras.Model(model.inputs[0], model.get_layer("hidden").output)
    lengths = np.linalg.norm(hidden(examples.stored_inputs(np.arange(60))), axis=1)
    np.testing.assert_allclose(table["hidden_length"], lengths, rtol=1e-5)


def test_a_hidden_softmax_is_reported(examples):
    with pytest.raises(InputError, match="ends in a softmax. Expected logits"):
        depths(Subclassed("softmax"), examples, layers=["a"])


@pytest.mark.slow
def test_layers_may_have_the_names_of_the_other_probes(examples):
    """A layer called `input` or `softmax` is a probe like others, and takes none away."""
    found = {}
    for names in (("input", "softmax", "penultimate"), ("one", "two", "three")):
        keras.utils.set_random_seed(0)
        stack = [layers.Dense(8, activation="relu", name=name) for name in names]
        model = keras.Sequential(
            [keras.Input(examples.shape), layers.Flatten(), *stack, layers.Dense(10)]
        )
        found[names[0]] = depths(model, examples, layers=[*names, "<penultimate>"])
    accuracies = [details["probe_accuracy"] for _, details in found.values()]
    assert list(accuracies[0]) == [
        *("<input>", "input", "softmax", "penultimate", "<penultimate>", "<softmax>")
    ]
    assert list(accuracies[1]) == ["input", "one", "two", "three", "penultimate", "softmax"]
    assert list(accuracies[0].values()) == list(accuracies[1].values())
    np.testing.assert_array_equal(found["input"][0], found["one"][0])


def test_vote_names_by_hand():
    assert vote_names(["<input>", "<softmax>"]) == ["input", "softmax"]
    assert vote_names(["<input>", "output", "softmax", "<softmax>"]) == [
        *("input", "output", "softmax", "<softmax>")
    ]


@pytest.mark.slow
def test_scoring_leaves_training_as_it_was(examples):
    """The same bits with and without scores: neither weights nor random streams have moved."""
    weights = []
    for scored in (False, True):
        model = small.network(examples)
        small.fit(model, examples, 1)
        if scored:
            before = [np.array(variable) for variable in model.variables]
            depths(model, examples, max_dimension=4)
            for variable, value in zip(model.variables, before, strict=True):
                np.testing.assert_array_equal(variable, value)
        callbacks = [kp.ScoreCallback(examples, [PredictionDepth(k=3)])] if scored else []
        small.fit(model, examples, 1, callbacks, seed=1)
        weights.append([np.array(variable) for variable in model.variables])
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
