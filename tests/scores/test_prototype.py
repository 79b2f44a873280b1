"""Prototypes: distances to the centroids of classes and of k-means."""

import keras
import numpy as np
import pytest
from sklearn.cluster import KMeans
from support import small
from support.prototypes import Subclassed, hidden, inputs, to_class_means

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.embeddings import centroids
from keras_pruning.embeddings.centroids import kmeans_centroids
from keras_pruning.embeddings.layers import Embeddings
from keras_pruning.embeddings.requests import Embedding
from keras_pruning.models.layers import PENULTIMATE
from keras_pruning.scores import Prototype

METRICS = pytest.mark.parametrize("metric", ["euclidean", "cosine"])


def observed(score, vectors, labels, support=None):
    """The scores of vectors by hand-made signals, without a model."""
    embedding = Embedding(PENULTIMATE)
    score.reset(kp.Examples.from_arrays(np.float32(vectors), np.asarray(labels)), [1])
    signal = Embeddings(np.asarray(labels), {embedding: np.float32(vectors)})
    if support is not None:
        signal.support = Embeddings(np.asarray(support[1]), {embedding: np.float32(support[0])})
    score.update(score.observe(signal))
    return score.result()


# By hand


def test_the_distance_to_the_mean_of_ones_class_by_hand():
    """The means are (2, 1) and (10, 1). The third example is nearer to nothing else."""
    vectors, labels = [[0, 0], [10, 0], [4, 0], [10, 2], [2, 3]], [0, 1, 0, 1, 0]
    np.testing.assert_allclose(observed(Prototype(), vectors, labels), [5**0.5, 1, 5**0.5, 1, 2])


def test_it_is_the_own_class_even_where_another_is_nearer():
    vectors, labels = [[0.0], [2], [10], [12], [11]], [0, 0, 1, 1, 0]
    # Means 13/3 and 11.
    expected = [13 / 3, 7 / 3, 1, 1, 20 / 3]
    np.testing.assert_allclose(observed(Prototype(), vectors, labels), expected, rtol=1e-6)


def test_the_cosine_by_hand():
    """Directions east and north. Their mean points north-east. Lengths play no part."""
    expected = [1 - 0.5**0.5, 1 - 0.5**0.5, 0]
    found = observed(Prototype(metric="cosine"), [[1, 0], [0, 5], [-3, -3]], [0, 0, 1])
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_k_means_by_hand():
    """Two pairs of neighbours, whatever their labels."""
    vectors = [[0, 0], [10, 0], [2, 0], [10, 6]]
    for labels in ([0, 0, 1, 1], [0, 1, 0, 1]):
        found = observed(Prototype("kmeans"), vectors, labels)
        np.testing.assert_allclose(found, [1, 3, 1, 3])
    found = observed(Prototype("kmeans", clusters=1), vectors, labels)
    np.testing.assert_allclose(found, np.linalg.norm(np.array(vectors) - [5.5, 1.5], axis=1))
    np.testing.assert_array_equal(observed(Prototype("kmeans", clusters=4), vectors, labels), 0)


def test_others_are_scored_against_the_support():
    support = [[0, 0], [2, 0], [10, 10]], [0, 0, 1]
    found = observed(Prototype(), [[1, 3], [10, 14], [1, 0]], [0, 1, 1], support)
    np.testing.assert_allclose(found, [3, 4, 181**0.5])
    found = observed(Prototype("kmeans"), [[1, 3], [10, 14], [1, 0]], [0, 1, 1], support)
    np.testing.assert_allclose(found, [3, 4, 0])


@METRICS
def test_k_means_with_its_options(metric):
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(120, 4)).astype("float32")
    score = Prototype("kmeans", 6, metric=metric, seed=3)
    found = observed(score, vectors, np.arange(120) % 3)
    middles = kmeans_centroids(vectors, 6, metric, seed=3)
    prepared = np.float64(vectors)
    if metric == "cosine":
        prepared /= np.linalg.norm(prepared, axis=1, keepdims=True)
    squares = np.array([[((x - c) ** 2).sum() for c in middles] for x in prepared]).min(axis=1)
    expected = squares / 2 if metric == "cosine" else squares**0.5
    np.testing.assert_allclose(found, expected, atol=1e-6)
    details = score.details()
    np.testing.assert_allclose(details["inertia"], squares.sum())
    assert (details["clusters"], details["support"], details["dimensions"]) == (6, 120, 4)


@pytest.mark.parametrize("option", ["class", "kmeans"])
def test_a_zero_vector_has_no_cosine(option, monkeypatch):
    monkeypatch.setattr(centroids, "_BLOCK", 4)
    vectors = np.ones((6, 2))
    vectors[4] = 0
    score = Prototype(option, metric="cosine")
    with pytest.raises(InputError, match="zero vector.*Expected.*example at position 4. Use"):
        observed(score, vectors, [0, 0, 0, 1, 1, 1])
    with pytest.raises(InputError, match="zero as the mean of the class 1. Use"):
        observed(Prototype(metric="cosine"), [[1, 1], [1, 0], [-1, 0]], [0, 1, 1])


# The score and its drivers


@pytest.fixture(scope="module")
def examples():
    return small.digits(150)


@pytest.fixture(scope="module")
def model(examples):
    model = small.network(examples)
    small.fit(model, examples, 3)
    return model


def test_it_is_of_the_input_of_the_last_layer_in_eval_mode(model, examples):
    expected = to_class_means(hidden(model, examples), examples.labels)
    table = kp.score_checkpoints([small.network(examples), model], examples, ["prototype"])
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)
    callback = kp.ScoreCallback(examples, ["prototype"])
    trained = small.network(examples)
    small.fit(trained, examples, 3, [callback])
    np.testing.assert_allclose(callback.table()["prototype"], expected, atol=1e-5)
    recorded = table.metadata["scores"]["prototype"]
    assert (recorded["mode"], recorded["epochs"]) == ("eval", [2])
    about = ("embedding", "dimensions", "support", "clusters")
    assert [recorded[key] for key in about] == ["input of the last layer", 8, 150, 10]
    np.testing.assert_allclose(recorded["inertia"], (expected**2).sum(), rtol=1e-5)


def test_another_layer_also_of_a_subclassed_model(examples):
    keras.utils.set_random_seed(0)
    model = Subclassed()
    x = inputs(examples)
    model(x)
    expected = to_class_means(np.float64(model.hidden(model.flatten(x))), examples.labels)
    table = kp.score_checkpoints([model], examples, [Prototype(layer="hidden")])
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)
    assert table.metadata["scores"]["prototype"]["embedding"] == "hidden"
    for layer, message in ((None, "Name the `layer` instead"), ("nope", "Unknown layers.*'nope'")):
        with pytest.raises(InputError, match=message):
            kp.score_checkpoints([model], examples, [Prototype(layer=layer)])


def test_k_means_takes_no_labels_and_the_means_of_classes_do(model, examples):
    labels = np.random.default_rng(0).permutation(examples.labels)
    shuffled = kp.Examples.from_arrays(inputs(examples), labels)
    scores = [Prototype("kmeans"), Prototype()]
    for score, same in zip(scores, (True, False), strict=True):
        tables = [kp.score_checkpoints([model], each, [score]) for each in (examples, shuffled)]
        equal = tables[0]["prototype"] == tables[1]["prototype"]
        assert equal.all() if same else equal.mean() < 0.1
    found = kp.score_checkpoints([model], examples, scores[:1]).metadata["scores"]["prototype"]
    assert found["clusters"] == 10
    vectors = hidden(model, examples)
    expected = KMeans(10, n_init=10, random_state=0).fit(np.float32(vectors)).transform(vectors)
    table = kp.score_checkpoints([model], examples, scores[:1])
    np.testing.assert_allclose(table["prototype"], expected.min(axis=1), atol=1e-4)


def test_test_data_are_scored_against_the_training_data(model, examples):
    test = kp.load_examples("digits", "test").draw(0.2)
    of = hidden(model, examples), examples.labels
    table = kp.score_checkpoints([model], test, ["prototype"], support=examples)
    expected = to_class_means(hidden(model, test), test.labels, of)
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)
    assert table.metadata["scores"]["prototype"]["support"] == 150
    found = kp.score_checkpoints([model], test, [Prototype("kmeans")], support=examples)
    middles = KMeans(10, n_init=10, random_state=0).fit(np.float32(of[0]))
    expected = middles.transform(np.float32(hidden(model, test))).min(axis=1)
    np.testing.assert_allclose(found["prototype"], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"centroids": "median"}, "Invalid `centroids`. Expected 'class' or 'kmeans'. Received"),
        ({"metric": "l1"}, "Invalid `metric`. Expected 'euclidean' or 'cosine'. Received.*'l1'"),
        ({"centroids": "kmeans", "clusters": 0}, "Invalid `clusters`. Expected a positive integer"),
        ({"clusters": 5}, "Invalid `clusters`. Expected none with centroids='class'.*clusters=5"),
        ({"embedding": "x.csv"}, "Invalid `embedding`. Expected the path of a .npy.*'x.csv'"),
        ({"embedding": 3}, "Invalid `embedding`. Expected.*embedding=3"),
        ({"layer": 3}, "Invalid `layer`. Expected the name of a layer. Received: layer=3"),
        ({"embedding": "x.npy", "layer": "a"}, "Invalid `layer`. Expected none with.*layer='a'"),
        ({"seed": -1}, "Invalid `seed`. Expected an integer >= 0. Received: seed=-1"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        Prototype(**arguments)


def test_refuses_too_many_clusters_and_a_support_without_a_class(model, examples):
    untrained = small.network(examples)
    callback = kp.ScoreCallback(examples, [Prototype("kmeans", clusters=151)])
    with pytest.raises(InputError, match="Too many clusters. Expected at most 150.*clusters=151"):
        small.fit(untrained, examples, 1, [callback])
    assert untrained.optimizer.iterations == 0
    mask = examples.labels != 3
    without = examples.keep(kp.Subset(examples.ids, examples.labels, mask))
    with pytest.raises(InputError, match="support lacks a class.*Received: none of the class '3'"):
        kp.score_checkpoints([model], examples, ["prototype"], support=without)
    assert len(kp.score_checkpoints([model], without, ["prototype"], support=examples)) < 150
    kp.score_checkpoints([model], examples, [Prototype("kmeans")], support=without)
