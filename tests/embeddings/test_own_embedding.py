"""Prototypes in embeddings that the user brings: rows of a file, or another model."""

import random

import keras
import numpy as np
import pytest
from support import small
from support.prototypes import Subclassed, hidden, to_class_means

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.embeddings import sources as embedding_sources
from keras_pruning.embeddings.layers import embeddings
from keras_pruning.embeddings.random_projection import random_projection
from keras_pruning.embeddings.requests import INPUT, OUTPUT, Embedding
from keras_pruning.scores import Prototype


@pytest.fixture(scope="module")
def examples():
    return small.digits(150)


# An embedding from a file


@pytest.fixture
def file(tmp_path):
    return tmp_path / "embedding.npy"


def to_the_mean(vectors):
    return np.linalg.norm(np.float64(vectors) - np.float64(vectors).mean(axis=0), axis=1)


def of_file(file, examples, **options):
    options = {"centroids": "kmeans", "clusters": 1, **options}
    return kp.score_checkpoints([], examples, [Prototype(embedding=file, **options)])["prototype"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_the_rows_of_a_file_follow_the_examples(dtype, examples, file):
    vectors = np.random.default_rng(0).normal(size=(150, 5)).astype(dtype)
    np.save(file, vectors)
    np.testing.assert_allclose(of_file(file, examples), to_the_mean(vectors), rtol=1e-5)
    order = np.random.default_rng(1).permutation(150)
    np.save(file, vectors[order])
    np.testing.assert_allclose(of_file(file, examples), to_the_mean(vectors)[order], rtol=1e-5)
    by_class = of_file(file, examples, centroids="class", clusters=None)
    expected = to_class_means(np.float64(vectors)[order], examples.labels)
    np.testing.assert_allclose(by_class, expected, rtol=1e-5)


def test_a_file_with_a_row_for_all_of_the_source_serves_a_part(examples, file):
    vectors = np.random.default_rng(0).normal(size=(1437, 5)).astype("float32")
    np.save(file, vectors)
    whole = kp.load_examples("digits")
    rows = np.flatnonzero(np.isin(whole.ids, examples.ids))
    np.testing.assert_array_equal(whole.ids[rows], examples.ids)
    np.testing.assert_allclose(of_file(file, examples), to_the_mean(vectors[rows]), rtol=1e-5)
    subset = kp.Subset(examples.ids, examples.labels, np.arange(150) % 3 > 0)
    kept, kept_rows = examples.keep(subset), rows[np.arange(150) % 3 > 0]
    np.testing.assert_allclose(of_file(file, kept), to_the_mean(vectors[kept_rows]), rtol=1e-5)
    np.testing.assert_allclose(of_file(file, whole), to_the_mean(vectors), rtol=1e-5)
    with pytest.raises(
        InputError, match="Expected 100 rows.*or 1437 rows, one.*Received: 150 rows"
    ):
        np.save(file, vectors[:150])
        of_file(file, kept)


def with_nan(vectors, value):
    vectors[7, 2] = value
    return vectors


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda x: x[:149], "not belong to these examples. Expected 150 rows.*fraction.*149 rows"),
        (lambda x: x[:, 0], r"Expected floats of shape \(examples, dim.*float64 of shape \(150,\)"),
        (lambda x: x.reshape(150, 3, 2), "Received: float64 of shape.*For one vector per example"),
        (lambda x: x.astype(int), r"Expected floats.*Received: int64 of shape \(150, 6\)"),
        (
            lambda x: x.astype(object),
            "Cannot read the embedding.*without pickled objects",
        ),
        (lambda x: with_nan(x, np.nan), "Invalid values in the embedding.*first in row 7"),
        (lambda x: with_nan(x, 1e39), "range of float32. Received: NaN, infinity or larger"),
        (lambda x: x[:, :0], r"Received: float64 of shape \(150, 0\)"),
    ],
)
def test_refuses_files_that_are_no_embedding(content, message, examples, file):
    """Before the model that other scores are of has trained."""
    np.save(file, content(np.random.default_rng(0).normal(size=(150, 6))))
    model = small.network(examples)
    callback = kp.ScoreCallback(examples, ["el2n", Prototype(embedding=file)])
    with pytest.raises(InputError, match=message):
        small.fit(model, examples, 1, [callback])
    assert model.optimizer.iterations == 0


def test_refuses_files_missing_damaged_or_of_another_kind(examples, file, tmp_path):
    with pytest.raises(InputError, match="Missing embedding file. Expected.*embedding.npy"):
        of_file(file, examples)
    np.savez(tmp_path / "x.npz", np.zeros((150, 2)))
    np.save(file, np.zeros((150, 2)))
    whole = file.read_bytes()
    for content in (b"", whole[:-8], (tmp_path / "x.npz").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(InputError, match="Cannot read the embedding .*embedding.npy. Expected"):
            of_file(file, examples)
    with pytest.raises(InputError, match="Missing model file.*nowhere.keras"):
        of_file(tmp_path / "nowhere.keras", examples)


def test_a_file_serves_the_support_of_the_same_source_only(examples, file):
    vectors = np.random.default_rng(0).normal(size=(1437, 5)).astype("float32")
    np.save(file, vectors)
    whole = kp.load_examples("digits")
    rows = [np.flatnonzero(np.isin(whole.ids, each)) for each in (examples.ids, whole.ids)]
    score = [Prototype("kmeans", 1, embedding=file)]
    table = kp.score_checkpoints([], whole, score, support=examples)
    expected = np.linalg.norm(vectors - vectors[rows[0]].mean(axis=0), axis=1)
    np.testing.assert_allclose(table["prototype"], expected, rtol=1e-4)
    test = kp.load_examples("digits", "test")
    other = small.digits(150, seed=1)
    np.save(file, vectors[:150])
    pairs = [(examples, other), (test.draw(0.5), examples)]
    pairs.append([small.random_images(150, classes=10, seed=seed) for seed in (0, 1)])
    for scored, support in pairs:
        model = small.network(scored)
        callback = kp.ScoreCallback(scored, score, support=support)
        with pytest.raises(InputError, match="does not have the rows of the support. Expected"):
            small.fit(model, scored, 1, [callback])
        wanted = score[0].embeddings(None)
        with (
            pytest.raises(InputError, match="does not have the rows of the support. Expected"),
            embeddings(None, scored, wanted, support=support),
        ):
            pass


@pytest.mark.parametrize("memory_limit", [2**31, 0])
def test_beside_other_embeddings(memory_limit, examples, file):
    vectors = np.random.default_rng(0).normal(size=(150, 30)).astype("float32")
    np.save(file, vectors)
    model = small.network(examples)
    reduced = Embedding(OUTPUT, 4, 1, source=str(file))
    wanted = [Embedding("hidden"), reduced, Embedding(INPUT), Embedding(OUTPUT, source=str(file))]
    with embeddings(model, examples, wanted, memory_limit=memory_limit) as found:
        assert list(found.features) == wanted
        assert {isinstance(each, np.memmap) for each in found.features.values()} == {
            memory_limit == 0
        }
        projected = random_projection(vectors, 4, 1)
        x = examples.stored_inputs(np.arange(150)).reshape(150, -1)
        expected = [hidden(model, examples), projected, x, vectors]
        for values, exact in zip(found.features.values(), expected, strict=True):
            np.testing.assert_allclose(values, exact, atol=1e-5)


def test_blocks_of_a_file(examples, file, monkeypatch):
    monkeypatch.setattr(embedding_sources, "_BLOCK", 4 * 5)
    vectors = np.random.default_rng(0).normal(size=(1437, 5)).astype("float32")
    np.save(file, vectors)
    whole = kp.load_examples("digits").draw(0.02)
    rows = whole.stored_rows
    np.testing.assert_allclose(of_file(file, whole), to_the_mean(vectors[rows]), rtol=1e-5)
    vectors[rows[6]] = np.nan
    np.save(file, vectors)
    with pytest.raises(InputError, match=f"first in row {rows[6]}$"):
        of_file(file, whole)


def test_without_a_model_only_where_no_score_needs_one(examples, file):
    np.save(file, np.zeros((150, 2)) + np.arange(150)[:, np.newaxis])
    with pytest.raises(InputError, match="Expected at least one checkpoint"):
        kp.score_checkpoints([], examples, ["el2n", Prototype(embedding=file)])
    table = kp.score_checkpoints([Subclassed()], examples, ["el2n", Prototype(embedding=file)])
    layers = [Subclassed(), keras.layers.Softmax()]
    hidden_softmax = keras.Sequential([keras.Input(examples.shape), keras.Sequential(layers)])
    kp.score_checkpoints([hidden_softmax], examples, [Prototype(embedding=file)])
    alone = kp.score_checkpoints([], examples, [Prototype(embedding=file)])
    np.testing.assert_array_equal(table["prototype"], alone["prototype"])
    recorded = alone.metadata["scores"]["prototype"]
    assert (recorded["epochs"], recorded["mode"], recorded["dimensions"]) == ([], "eval", 2)
    assert recorded["embedding"] == recorded["config"]["embedding"] == str(file)


# An embedding from another model


def encoder_of(examples):
    """An encoder with everything that eval mode turns off and an output of three axes."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input(examples.shape),
        keras.layers.Dropout(0.5),
        keras.layers.Conv2D(2, 3, strides=3, name="conv"),
        keras.layers.BatchNormalization(name="norm"),
    ]
    encoder = keras.Sequential(layers)
    encoder.layers[-1].moving_mean.assign([0.5, -0.5])
    return encoder


def test_another_model_embeds_in_eval_mode(examples, tmp_path):
    encoder, path = encoder_of(examples), tmp_path / "encoder.keras"
    encoder.save(path)
    state = random.getstate()
    table = kp.score_checkpoints([], examples, [Prototype(embedding=path)])
    assert random.getstate() == state
    expected = to_class_means(hidden(encoder, examples, "norm"), examples.labels)
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)
    assert table.metadata["scores"]["prototype"]["dimensions"] == 8
    score = [Prototype(embedding=path, layer="conv")]
    table = kp.score_checkpoints([], examples, score)
    expected = to_class_means(hidden(encoder, examples, "conv"), examples.labels)
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)
    test = kp.load_examples("digits", "test").draw(0.2)
    table = kp.score_checkpoints([], test, [Prototype(embedding=path)], support=examples)
    of = hidden(encoder, examples, "norm"), examples.labels
    expected = to_class_means(hidden(encoder, test, "norm"), test.labels, of)
    np.testing.assert_allclose(table["prototype"], expected, atol=1e-5)


def test_refuses_models_that_do_not_embed_the_examples(examples, tmp_path):
    inputs, others = keras.Input((8, 8, 1)), keras.Input((5,))
    flat = keras.layers.Flatten()(inputs)
    infinite = keras.layers.Rescaling(1e38)(keras.layers.Rescaling(1e38)(flat))
    models = {
        "other": (
            keras.Model(others, keras.layers.Dense(2)(others)),
            "Cannot use the embedding .*The mod",
        ),
        "two": (keras.Model(inputs, [flat, inputs]), "one vector for each example.*2 outputs"),
        "infinite": (keras.Model(inputs, infinite), "infinite.keras are not finite"),
        "layer": (keras.Model(inputs, flat), "Unknown layers.*'nope'"),
    }
    for name, (encoder, message) in models.items():
        path = tmp_path / f"{name}.keras"
        encoder.save(path)
        score = Prototype(embedding=path, layer="nope" if name == "layer" else None)
        model = small.network(examples)
        with pytest.raises(InputError, match=message):
            small.fit(model, examples, 1, [kp.ScoreCallback(examples, ["el2n", score])])
        assert name == "infinite" or model.optimizer.iterations == 0
