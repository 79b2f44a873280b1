"""Data frames and series of pandas, as the `fit` of Keras reads them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_pruning import Examples, InputError

NUMBERS = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1, 2, 3], "c": [True, False, True]})
MIXED = pd.DataFrame({"age": [20, 30, 40], "name": ["x", "y", "z"]}, index=["p", "q", "r"])


def batch_of(examples):
    ((x, y),) = examples.batches(len(examples))
    return x, y


def test_a_frame_of_numbers_is_one_array():
    examples = Examples.from_arrays(NUMBERS, [0, 1, 0])
    x, _ = batch_of(examples)
    np.testing.assert_array_equal(x, [[1.5, 1, 1], [2.5, 2, 0], [3.5, 3, 1]])
    assert x.dtype == "float32"
    assert examples.ids.tolist() == ["0", "1", "2"]
    same = Examples.from_arrays(NUMBERS.astype(float).to_numpy(), [0, 1, 0])
    assert examples.fingerprint == same.fingerprint
    # Of nullable dtypes too
    nullable = NUMBERS.astype({"a": "Float64", "b": "Int64", "c": "boolean"})
    assert Examples.from_arrays(nullable, [0, 1, 0]).fingerprint == same.fingerprint


def test_a_frame_with_text_is_the_dictionary_of_its_columns():
    examples = Examples.from_arrays(MIXED, pd.Series(["no", "yes", "no"], index=MIXED.index))
    x, y = batch_of(examples)
    assert x["name"].numpy().tolist() == [b"x", b"y", b"z"]
    assert (x["age"].numpy().tolist(), x["age"].dtype) == ([[20], [30], [40]], "int64")
    assert (y.numpy().tolist(), examples.class_names) == ([0, 1, 0], ["no", "yes"])
    assert examples.ids.tolist() == ["p", "q", "r"]
    again = Examples.from_arrays(dict(MIXED), ["no", "yes", "no"])
    assert again.fingerprint == examples.fingerprint


def test_the_columns_of_numbers_by_name():
    x, _ = batch_of(Examples.from_arrays(dict(NUMBERS), [0, 1, 0]))
    assert {name: part.dtype.name for name, part in x.items()} == {
        "a": "float32",
        "b": "int64",
        "c": "bool",
    }


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_series_of_numbers_have_the_shape_that_fit_gives_them():
    shapes = []

    class Model(keras.Model):
        def call(self, x):
            shapes.append({name: (part.shape[1:], part.dtype.name) for name, part in x.items()})
            return tf.zeros((tf.shape(x["a"])[0], 2))

    x = {"a": NUMBERS["a"], "c": NUMBERS["c"]}
    for data in ((x, np.zeros(3)), (Examples.from_arrays(x, [0, 1, 0]).batches(3),)):
        model = Model()
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(*data, shuffle=False, verbose=0)
    assert shapes[0] == shapes[-1]
    assert shapes[0]["a"] == ((1,), "float32")


def test_categories_are_their_values():
    frame = pd.DataFrame({"size": pd.Categorical([3, 1, 3]), "kind": pd.Categorical(list("bab"))})
    x, y = batch_of(Examples.from_arrays(frame, frame["kind"]))
    assert x["size"].numpy().tolist() == [[3], [1], [3]]
    assert x["kind"].numpy().tolist() == [b"b", b"a", b"b"]
    assert y.numpy().tolist() == [1, 0, 1]


def test_the_index_gives_the_ids():
    frame = NUMBERS.set_index(pd.Index([30, 10, 20]))
    assert Examples.from_arrays(frame, [0, 1, 0]).ids.tolist() == ["30", "10", "20"]
    assert Examples.from_arrays(frame, [0, 1, 0], ids=list("abc")).ids.tolist() == ["a", "b", "c"]
    chosen = pd.Series(list("abc"))
    assert Examples.from_arrays(frame, [0, 1, 0], ids=chosen).ids.tolist() == ["a", "b", "c"]
    several = NUMBERS.set_index(["a", "b"])
    assert Examples.from_arrays(several, [0, 1, 0]).ids.tolist() == ["1.5/1", "2.5/2", "3.5/3"]


def test_a_series_of_texts():
    texts = pd.Series(["one", "two", "three"], index=[5, 6, 7])
    examples = Examples.from_arrays(texts, pd.Series([0, 1, 1], index=[5, 6, 7]))
    assert examples.stored_inputs([0, 2]).tolist() == ["one", "three"]
    assert examples.ids.tolist() == ["5", "6", "7"]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (MIXED, pd.Series([0, 1, 0]), "rows of `x` and `y` differ.*'p', 'q', 'r'.*of 3"),
        (MIXED, pd.Series([0, 1, 0], index=["r", "q", "p"]), "rows of `x` and `y` differ"),
        (MIXED.set_index(pd.Index(list("aab"))), [0, 1, 0], "'a' more than once.*reset_index"),
        (MIXED.replace("y", None), [0, 1, 0], r"Missing values in `x\['name'\]`.*1 .*position 1"),
        (NUMBERS.replace(2.5, np.nan), [0, 1, 0], "NaN or infinity.*position 1"),
        (NUMBERS.astype({"b": "Int64"}).replace(2, pd.NA), [0, 1, 0], r"Missing.*x\['b'\]"),
        (NUMBERS, pd.Series([0, None, 1]), "Real-valued targets"),
        (NUMBERS, pd.Series(["a", None, "b"]), "Missing values in `y`.*position 1"),
        (NUMBERS, pd.DataFrame({"a": [0.5, 1, 2], "b": [0.5, 0, 0]}), "Soft labels"),
        (MIXED.rename(columns={"age": 5}), [0, 1, 0], "Invalid columns of `x`"),
    ],
)
def test_refuses_frames(x, y, message):
    with pytest.raises(InputError, match=message):
        Examples.from_arrays(x, y)
