"""Ids and fingerprints: no two different sets of examples share either."""

import hashlib
import time

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import Examples, InputError
from keras_pruning.examples import ids as ids_module
from keras_pruning.examples import strings


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
        (np.array(["a", 2, np.int8(3)], dtype=object), ["a", "2", "3"]),
        (np.array(["b", "a", "ä"], dtype=np.dtypes.StringDType()), ["b", "a", "ä"]),
    ],
)
def test_ids_are_strings(ids, expected):
    assert examples_of(ids).ids.tolist() == expected


@pytest.mark.parametrize("dtype", ["U", ids_module.STRINGS])
def test_an_array_of_strings_is_taken_as_it_is(dtype, monkeypatch):
    monkeypatch.setattr(ids_module, "_as_strings", None)
    ids = ids_module.checked_ids(np.array(["b", "", "a/1.png"], dtype))
    assert ids.tolist() == ["b", "", "a/1.png"]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "int16", ">i4"])
def test_many_integers_are_strings(dtype, monkeypatch):
    numbers = np.array([7, 0, 30_000, 12], dtype)
    few = ids_module.checked_ids(numbers)
    monkeypatch.setattr(ids_module, "_BLOCK", 2)
    many = ids_module.checked_ids(numbers)
    assert many.dtype == few.dtype
    assert many.tolist() == few.tolist() == ["7", "0", "30000", "12"]
    with pytest.raises(InputError, match="'7' at positions 0 and 4"):
        ids_module.checked_ids(np.append(numbers, numbers[0]))


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


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of two ids, and ids stored as if they were too many for a fixed width."""
    for module in (ids_module, strings):
        monkeypatch.setattr(module, "_BLOCK", 2)
    monkeypatch.setattr(ids_module, "_FIXED_WIDTH", 0)


NAMES = ["b", "ä", "", "€" * 40, "10", "9", "long" * 20]


def numbered_by(ids):
    return Examples.from_arrays(np.arange(len(ids))[:, np.newaxis], np.arange(len(ids)) % 2, ids)


def test_ids_have_a_fixed_width_up_to_a_size():
    assert numbered_by(NAMES).ids.dtype == "U80"


@pytest.mark.parametrize("kind", [list, np.array, lambda names: np.array(names, dtype=object)])
def test_many_ids_have_no_fixed_width(small_blocks, kind):
    ids = numbered_by(kind(NAMES)).ids
    assert ids.dtype.kind == "T"
    assert ids.tolist() == NAMES


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "c", "d", "b"], r"unique ids. Received: 'b' at positions 1 and 4$"),
        (["a", "b", "c", "d\0", "b"], r"Received: 'd\\x00' \(str\) at position 3"),
        (["a", "b", "c", "d", "\ud800"], r"Received: '\\ud800' \(str\) at position 4"),
        (["a", "b", "c", None, "b"], r"Received: None \(NoneType\) at position 3"),
        ([3, 4, 5, "4"], r"Received: '4' at positions 1 and 3$"),
    ],
)
def test_positions_of_wrong_ids_count_from_the_first(small_blocks, ids, message):
    with pytest.raises(InputError, match=message):
        numbered_by(ids)


def test_equal_hashes_of_different_ids_are_no_repeat(monkeypatch):
    monkeypatch.setattr(ids_module, "hashes", lambda names: np.full(len(names), 7, np.uint64))
    assert numbered_by(NAMES).ids.tolist() == NAMES
    with pytest.raises(InputError, match="'b' at positions 0 and 7"):
        numbered_by([*NAMES, "b"])


def test_the_fingerprint_is_the_hash_that_is_documented():
    examples = numbered_by(NAMES)
    expected = b""
    for texts in (["arrays", "train", examples.provenance["inputs"]], NAMES):
        lengths = [len(texts), *(len(text.encode()) for text in texts)]
        expected += np.array(lengths, "<i8").tobytes() + "".join(texts).encode()
    expected += np.array([0, 1, 0, 1, 0, 1, 0], "<i8").tobytes()
    assert examples.fingerprint == hashlib.sha256(expected).hexdigest()[:32]


def test_the_storage_of_ids_does_not_change_the_fingerprint(request):
    fingerprint = numbered_by(NAMES).fingerprint
    request.getfixturevalue("small_blocks")
    assert numbered_by(NAMES).fingerprint == fingerprint


def test_many_ids_go_through_tables_and_subsets(small_blocks, tmp_path):
    examples = numbered_by(NAMES)
    scores = {"el2n": np.arange(7.0)}
    table = kp.ScoreTable(
        examples.ids, examples.labels, scores, metadata={"examples": examples.provenance}
    )
    table.save(tmp_path / "scores.parquet")
    table.to_csv(tmp_path / "scores.csv")
    table = kp.ScoreTable.load(tmp_path / "scores.parquet")
    assert table.ids.dtype.kind == "T"
    assert table.to_pandas().index.tolist() == NAMES
    subset = kp.Subset(table.ids, table.labels, table["el2n"] > 3, table.metadata)
    assert subset.digest == kp.Subset(NAMES, table.labels, subset.mask).digest
    subset.save(tmp_path / "subset.parquet")
    subset = kp.Subset.load(tmp_path / "subset.parquet")
    assert subset.kept_ids.tolist() == NAMES[4:]
    kept = examples.keep(subset)
    assert kept.ids.tolist() == NAMES[4:]
    assert ids_module.are_among(examples.ids, kept.ids).tolist() == [False] * 4 + [True] * 3


@pytest.mark.parametrize(
    ("names", "others", "among"),
    [(["a", "ä"], ["ä", "b"], [False, True]), (["a"], [], [False]), ([], ["a"], [])],
)
def test_ids_among_few(names, others, among):
    result = ids_module.are_among(np.array(names, "U2"), np.array(others, "U2"))
    assert (result.dtype, result.tolist()) == (bool, among)


def test_ids_among_many_are_found_in_linear_time():
    names = np.array([f"{row:08d}" for row in range(200_000)], dtype=np.dtypes.StringDType())
    start = time.process_time()
    among = ids_module.are_among(names, names[::10])
    # numpy.isin takes 40 seconds.
    assert time.process_time() - start < 5
    assert np.flatnonzero(among).tolist() == list(range(0, 200_000, 10))
