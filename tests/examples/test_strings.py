"""Strings in blocks, against Python's own."""

import numpy as np
import pyarrow as pa
import pytest

from keras_pruning import InputError
from keras_pruning.examples import strings
from keras_pruning.examples.ids import checked_ids

TEXTS = {
    "ascii": ["a", "", "bcd", "10", "9", "x" * 20],
    "characters of several bytes": ["ä", "€" * 9, "𝄞", "a"],
    "a very long one": ["a", "b" * 5000, "c"],
    "none": [],
}
DTYPES = {"U": lambda texts: np.array(texts, "U"), "T": lambda texts: np.array(texts, TEXT)}
TEXT = np.dtypes.StringDType()


@pytest.fixture(params=["one block", "blocks of two"])
def block(request, monkeypatch):
    if request.param == "blocks of two":
        monkeypatch.setattr(strings, "_BLOCK", 2)
        monkeypatch.setattr(strings, "_PADDED", 64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TEXTS)
def test_encoded_strings(name, dtype, block):
    parts = list(strings.encoded(DTYPES[dtype](TEXTS[name])))
    lengths = [length for part, _ in parts for length in part.tolist()]
    assert lengths == [len(text.encode()) for text in TEXTS[name]]
    assert b"".join(data.tobytes() for _, data in parts) == "".join(TEXTS[name]).encode()


def test_a_nul_between_characters_is_kept():
    ((lengths, data),) = strings.encoded(np.array(["a\0b", "c"]))
    assert (lengths.tolist(), data.tobytes()) == ([3, 1], b"a\0bc")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TEXTS)
def test_to_arrow_and_back(name, dtype, block):
    column = strings.as_arrow(DTYPES[dtype](TEXTS[name]))
    column.validate(full=True)
    assert column.type == pa.string()
    assert column.to_pylist() == TEXTS[name]
    assert checked_ids(column).tolist() == TEXTS[name]


@pytest.mark.parametrize("texts", [["a\0", "b"], ["a", "\0"], ["a\0b", "c"], ["ä\0", "b"]])
def test_a_nul_in_an_arrow_column_is_refused(texts, block):
    with pytest.raises(InputError, match="without NUL characters"):
        checked_ids(pa.chunked_array([texts]))


def test_a_part_of_an_arrow_column(block):
    column = pa.chunked_array([["a", "b", "c", "ä"], ["d", "e", "f"]])[1:6]
    assert checked_ids(column).tolist() == ["b", "c", "ä", "d", "e"]


@pytest.mark.parametrize("column", [[1.5, 2.0], ["a", None]])
def test_other_arrow_columns_are_refused(column):
    with pytest.raises(InputError, match="Invalid `ids`. Expected strings or integers"):
        checked_ids(pa.chunked_array([column]))


def test_equal_strings_have_equal_hashes_in_every_block(monkeypatch):
    texts = np.array(["a", "x" * 40, "a", "ä", "", "x" * 40, "ä", ""], TEXT)
    whole = strings.hashes(texts)
    np.testing.assert_array_equal(whole[[0, 1, 3, 4]], whole[[2, 5, 6, 7]])
    assert len(set(whole.tolist())) == 4
    for size in (1, 2, 3):
        monkeypatch.setattr(strings, "_BLOCK", size)
        np.testing.assert_array_equal(strings.hashes(texts), whole)
        np.testing.assert_array_equal(strings.hashes(texts.astype("U40")), whole)


def test_hashes_of_similar_strings_differ():
    names = [f"{row}" for row in range(50_000)] + [f"{row:09d}/a" for row in range(50_000)]
    names += [f"a/{row:09d}" for row in range(50_000)] + ["b" * row for row in range(1, 200)]
    hashed = strings.hashes(np.array(names, TEXT))
    assert len(set(hashed.tolist())) == len(names)
    # Of 32 bits, as many coincide as of random numbers, 2.6 pairs
    assert len(names) - len(np.unique(hashed >> np.uint64(32))) < 12


def test_ascii_stays_in_arrays():
    """A list would hold a Python object for each id."""
    column = pa.chunked_array([["a", "b" * 30], [], [f"{row}" for row in range(70_000)]])
    parts = list(strings.arrow_blocks(column))
    assert [type(part) for part in parts] == [np.ndarray] * 3
    assert sum(map(len, parts)) == len(column)
    other = pa.chunked_array([["a", "ä"]])
    assert list(strings.arrow_blocks(other)) == [["a", "ä"]]


ODD = ["", "a", "a\0b", "кот", "a b/c.png", "x" * 40, "\x7f", "\x80", "猫"]


@pytest.mark.parametrize("block", [1, 2, 100])
@pytest.mark.parametrize("dtype", ["U", "<U50", ">U50", strings.STRINGS])
def test_blocks_of_arrays_have_their_strings(block, dtype, monkeypatch):
    monkeypatch.setattr(strings, "_BLOCK", block)
    texts = np.array(ODD, dtype)
    for part in (texts, texts[::2]):
        blocks = list(strings.array_blocks(part))
        told = [
            entry if isinstance(rows, list) else entry.decode()
            for rows in blocks
            for entry in (rows if isinstance(rows, list) else rows.tolist())
        ]
        assert told == part.tolist()
        joined = b"".join(bytes(data) for _, data in strings.encoded(part))
        assert joined == "".join(part.tolist()).encode()


@pytest.mark.parametrize("dtype", ["U", strings.STRINGS])
def test_ascii_is_read_without_python_strings(dtype, monkeypatch):
    texts = np.array([f"{row}" for row in range(1000)], dtype)
    monkeypatch.setattr(strings, "_BLOCK", 300)
    blocks = list(strings.array_blocks(texts))
    assert [rows.dtype.kind for rows in blocks] == ["S"] * 4
    assert {rows.dtype.itemsize for rows in blocks} == {8}
    odd = np.array([*texts[:2], "a\0b"], dtype)
    assert [type(rows) for rows in strings.array_blocks(odd)] == [list]
