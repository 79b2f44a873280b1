"""Inputs of several arrays and of strings, as the `fit` of Keras reads them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.memory_maps import memory_map

from keras_pruning import Examples
from keras_pruning.examples.array_spec import ArraySpec

COUNT = 6
PIXELS = np.arange(12).reshape(COUNT, 2)
TEXTS = ["a", "", "ünïcode", "two words", "a", "\0"]
INPUTS = {
    "float32": PIXELS.astype("float32") / 7,
    "float64": PIXELS / 7,
    "float16": (PIXELS / 7).astype("float16"),
    "uint8": PIXELS.astype("uint8"),
    "int64": PIXELS + 2**40,
    "bool": PIXELS % 3 == 0,
    "big endian": (PIXELS / 7).astype(">f4"),
    "strings": np.array(TEXTS, dtype=object),
    "dict": {"ids": PIXELS, "mask": PIXELS > 3, "text": np.array(TEXTS, dtype=object)},
    "tuple": (PIXELS / 7, PIXELS.astype("uint8")),
    "list": [PIXELS / 7, PIXELS.astype("uint8")],
}


class Watching(keras.Model):
    """Writes down the inputs of its training steps."""

    def __init__(self):
        super().__init__()
        self.weight, self.steps = self.add_weight(shape=()), []

    def call(self, x):
        first = keras.tree.flatten(x)[0]
        return self.weight * tf.ones((tf.shape(first)[0], 2))

    def train_step(self, data):
        x, y = data
        self.steps.append((x, y))
        return {"loss": tf.zeros(())}


def steps_of(fit_arguments, **options):
    """Returns the inputs and labels of each step of `fit`, structures of arrays."""
    model = Watching()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(*fit_arguments, epochs=1, shuffle=False, verbose=0, **options)
    return keras.tree.map_structure(np.asarray, model.steps)


@pytest.mark.parametrize("kind", INPUTS)
def test_batches_are_those_that_fit_makes_of_the_arrays(kind):
    x, y = INPUTS[kind], np.array([0, 1] * 3)
    expected = steps_of((x, y), batch_size=4)
    received = steps_of((Examples.from_arrays(x, y).batches(4),))
    keras.tree.assert_same_structure(received, expected)
    for ours, theirs in zip(*map(keras.tree.flatten, (received, expected)), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", INPUTS)
def test_the_spec_is_that_of_the_batches(kind):
    examples = Examples.from_arrays(INPUTS[kind], [0, 1] * 3)
    x, _ = examples.batches(4).element_spec
    shown = keras.tree.map_structure(
        lambda part: ArraySpec(tuple(part.shape[1:]), part.dtype.name), x
    )
    assert shown == examples.spec
    rows, inputs, _ = examples.scoring_batches(4).element_spec
    assert inputs == x and rows.dtype == tf.int64
    assert examples.batches(4, rows=True).element_spec[0] == {"x": x, "row": rows}


@pytest.mark.parametrize("kind", INPUTS)
def test_subsets_and_draws_read_their_own_rows(kind):
    x = INPUTS[kind]
    part = Examples.from_arrays(x, [0, 1] * 3).draw(0.5)
    rows = part.ids.astype(int)
    expected = keras.tree.map_structure(lambda array: np.asarray(array)[rows], x)
    stored = part.stored_inputs(np.arange(len(part)))
    for ours, theirs in zip(*map(keras.tree.flatten, (stored, expected)), strict=True):
        same = ours.astype(theirs.dtype) if theirs.dtype.kind == "f" else ours
        np.testing.assert_allclose(same, theirs, rtol=1e-6) if same.dtype.kind == "f" else (
            np.testing.assert_array_equal(same, theirs)
        )


def test_strings_of_every_kind_are_the_same_examples():
    kinds = [
        TEXTS[:5],
        np.array(TEXTS[:5]),
        np.array(TEXTS[:5], dtype=object),
        np.array([text.encode() for text in TEXTS[:5]], dtype=object),
        np.array(TEXTS[:5], dtype=np.dtypes.StringDType()),
    ]
    fingerprints = [Examples.from_arrays(x, [0, 1, 0, 1, 0]).fingerprint for x in kinds]
    assert len(set(fingerprints)) == 1
    assert Examples.from_arrays(kinds[0], [0, 1, 0, 1, 0]).stored_inputs([2, 1]).tolist() == [
        "ünïcode",
        "",
    ]


def test_the_fingerprint_tells_structures_and_texts_apart():
    y = [0, 1]
    inputs = [
        np.eye(2),
        {"a": np.eye(2)},
        {"b": np.eye(2)},
        (np.eye(2),),
        np.eye(2, dtype=int),
        np.eye(2, dtype=bool),
        ["ab", "c"],
        ["a", "bc"],
        [["ab"], ["c"]],
    ]
    fingerprints = {Examples.from_arrays(x, y).fingerprint for x in inputs}
    assert len(fingerprints) == len(inputs)


def test_memory_maps_inside_a_dictionary_stay_on_disk(tmp_path):
    mapped = memory_map(tmp_path, PIXELS)
    x = {"mapped": mapped, "array": PIXELS}
    ((inputs, _),) = Examples.from_arrays(x, [0, 1] * 3).batches(COUNT)
    np.testing.assert_array_equal(inputs["mapped"], PIXELS)
    np.testing.assert_array_equal(inputs["array"], PIXELS)


def test_a_list_of_one_array_for_each_example_is_one_array():
    examples = Examples.from_arrays([np.zeros((3, 2)), np.ones((3, 2))], [0, 1])
    assert examples.shape == (3, 2)


def test_scale_multiplies_the_numbers_and_leaves_texts():
    x = {"pixels": PIXELS.astype("uint8"), "text": TEXTS}
    ((inputs, _),) = Examples.from_arrays(x, [0, 1] * 3, scale=0.5).batches(COUNT)
    np.testing.assert_array_equal(inputs["pixels"], PIXELS / 2)
    assert inputs["text"].dtype == tf.string
