"""Vectors of examples in files: inputs, rows of a file, and the layer of a model."""

import keras
import numpy as np
import pytest
from support.small import digits, network

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.embeddings.requests import OUTPUT
from keras_pruning.embeddings.sources import require_vector_source
from keras_pruning.embeddings.vector_files import embedding_layer, write_vectors
from keras_pruning.models.layers import PENULTIMATE


@pytest.fixture(scope="module")
def examples():
    return digits(30)


def test_pixels_are_the_inputs_as_batches_have_them(tmp_path):
    x = np.arange(24, dtype="uint8").reshape(4, 3, 2, 1)
    scaled = kp.Examples.from_arrays(x, [0, 1, 0, 1], scale=1 / 255)
    write_vectors(tmp_path / "vectors.npy", scaled)
    vectors = np.load(tmp_path / "vectors.npy")
    assert (vectors.dtype, vectors.shape) == (np.float32, (4, 6))
    np.testing.assert_allclose(vectors, x.reshape(4, 6) / 255, rtol=1e-6)


def test_a_part_gets_the_rows_of_its_source(examples, tmp_path):
    stored = np.random.default_rng(0).normal(size=(examples.stored_count, 3))
    np.save(tmp_path / "stored.npy", stored)
    write_vectors(tmp_path / "vectors.npy", examples, str(tmp_path / "stored.npy"))
    expected = stored[examples.stored_rows].astype("float32")
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), expected)


def test_the_layer_of_a_classifier_and_of_another_model(examples):
    classifier = network(examples)
    assert embedding_layer(classifier, examples) == PENULTIMATE
    assert embedding_layer(classifier, examples, "norm") == "norm"
    encoder = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    assert embedding_layer(encoder, examples) == OUTPUT
    with pytest.raises(InputError, match="hidden"):
        embedding_layer(classifier, examples, "hiden")


@pytest.mark.parametrize("source", ["pixel", "missing.npy", "missing.keras", "."])
def test_a_source_that_is_not_there_is_refused(source):
    with pytest.raises(InputError, match="Expected 'pixels', or the path of a .npy or .keras file"):
        require_vector_source(source)
