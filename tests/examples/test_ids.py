"""Ids and fingerprints: no two different sets of examples share either."""

import numpy as np
import pytest

from keras_pruning import Examples, InputError


def examples_of(ids, **options):
    return Examples.from_arrays(np.eye(3), [0, 1, 0], ids, **options)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["b", "ä", ""], ["b", "ä", ""]),
        ([30, 10, 20], ["30", "10", "20"]),
        (np.array([30, 10, 20], "uint8"), ["30", "10", "20"]),
        (np.array([["x"], ["y"], ["z"]]), ["x", "y", "z"]),
        (np.array([[3], [1], [2]]), ["3", "1", "2"]),
        (["a", 2, np.str_("c")], ["a", "2", "c"]),
    ],
)
def test_ids_are_strings(ids, expected):
    assert examples_of(ids).ids.tolist() == expected


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "a"], r"unique ids. Received: 'a' at positions 0 and 2$"),
        ([1, 1, "1"], r"'1' at positions 0 and 1, and 1 more that repeat"),
        (["a", "a\0", "b"], r"without NUL characters. Received: 'a\\x00' \(str\) at position 1"),
        (["a", "b", "\ud800"], r"lone surrogates. Received: '\\ud800' \(str\) at position 2"),
        (["a", None, "b"], r"strings or integers. Received: None \(NoneType\) at position 1"),
        ([b"a", b"b", b"c"], r"Received: b'a' \(bytes\) at position 0"),
        (["a", float("nan"), "b"], r"Received: nan \(float\) at position 1"),
        (np.array([1.0, np.nan, 2.0]), r"Received: 1.0 \(float\) at position 0"),
        ([True, False, 3], r"Received: True \(bool\)"),
        (np.eye(3, dtype=int), r"Expected shape \(N,\). Received: shape \(3, 3\)"),
        ({"a", "b", "c"}, r"Expected shape \(N,\). Received: a set"),
        (np.ma.masked_equal([1, 2, 3], 2), "Masked arrays are not supported.*`ids`"),
    ],
)
def test_refuses_ids(ids, message):
    with pytest.raises(InputError, match=message):
        examples_of(ids)


def test_lengths_separate_the_parts_of_a_fingerprint():
    fingerprints = {
        examples_of(ids, split=split).fingerprint
        for ids, split in [
            (["a", "bc", "d"], "x"),
            (["ab", "c", "d"], "x"),
            (["a", "b", "cd"], "x"),
            (["a", "bc", "d"], "xa"),
            (["aa", "bc", "d"], "x"),
        ]
    }
    assert len(fingerprints) == 5
