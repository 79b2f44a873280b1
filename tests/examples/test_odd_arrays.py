"""Values that NumPy would change without a word: taken as they are, or refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from keras_pruning import Examples, InputError

X, Y = np.eye(4), [0, 1, 0, 1]
NAN = float("nan")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (["a", NAN, "b", "c"], r"Expected strings. Received: nan \(float\).* at position 1"),
        (["a", 1, "b", "c"], r"Expected strings. Received: 1 \(int\).* at position 1"),
        ({"text": ["a", "b", NAN, "c"]}, r"`x\['text'\]`.*Received: nan \(float\).* position 2"),
        ([NAN, "a", "b", "c"], "Expected floats, integers, booleans or strings.*objects"),
        ("abcd", "Invalid `x`. Expected one array or list.*Received: 'abcd'"),
        (sparse.csr_matrix(X), r"Received: a csr_matrix. Pass `x.toarray\(\)`"),
    ],
)
def test_refuses_inputs_that_would_change(x, message):
    with pytest.raises(InputError, match=message):
        Examples.from_arrays(x, Y)


def test_texts_keep_a_nul_at_their_end():
    texts = ["a\0", "a", "\0", "b"]
    assert Examples.from_arrays(texts, Y).stored_inputs(range(4)).tolist() == texts


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", 1, "b", "a"], "Expected strings, one for each example. Received: 1 at position 1"),
        (["a", "b", NAN, "a"], "Expected strings.*Received: nan at position 2"),
        ([True, "a", "b", "a"], "Expected strings.*Received: True at position 0"),
        (["a", "a\0", "b", "b"], r"without NUL characters. Received: 'a\\x00' at position 1"),
        ([1e300, 1, 0, 1], "Real-valued targets"),
    ],
)
def test_refuses_labels_that_would_change(y, message):
    with pytest.raises(InputError, match=message):
        Examples.from_arrays(X, y)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_whole_floats_of_every_width_are_labels(dtype):
    assert Examples.from_arrays(X, np.array([2, 0, 1, 0], dtype)).labels.tolist() == [2, 0, 1, 0]
    with pytest.raises(InputError, match="Real-valued targets"):
        Examples.from_arrays(X, np.array([np.inf, 0, 1, 0], dtype))


def test_labels_in_a_frame_of_one_column():
    names = pd.DataFrame({"label": ["b", "a", "b", "a"]})
    examples = Examples.from_arrays(X, names)
    assert examples.labels.tolist() == [1, 0, 1, 0]
    assert examples.class_names == ["a", "b"]


@pytest.mark.parametrize("index", [[0.5, 1.5, 2.5, 3.5], pd.date_range("2020", periods=4)])
def test_an_index_that_cannot_be_ids_is_named(index):
    frame = pd.DataFrame({"a": np.arange(4)}, index=index)
    with pytest.raises(InputError, match=r"index of `x`.*reset_index\(drop=True\)"):
        Examples.from_arrays(frame, Y)
