"""Scores that were computed elsewhere, from arrays and files."""

import pickle

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.tables.importers import IMPORTERS, read_scores

IDS = ["a", "007", "ä", "b, c"]
VALUES = [0.5, -1, 3, 1e-3]
HARDER = {"s": True}


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def from_file(path, ids=IDS):
    return kp.ScoreTable.from_scores(ids, np.arange(len(ids)) % 2, {"s": path}, HARDER)


def test_a_table_of_arrays_selects():
    scores = {"s": VALUES, "low": np.array(VALUES, "float16")}
    table = kp.ScoreTable.from_scores(IDS, [0, 0, 0, 0], scores, {"s": True, "low": False})
    assert table.ids.tolist() == IDS
    assert table["s"].dtype == table["low"].dtype == np.float32
    np.testing.assert_array_equal(table.difficulty("s"), np.float32(VALUES))
    np.testing.assert_array_equal(table.difficulty("low"), -np.float32(np.float16(VALUES)))
    assert list(kp.select(table, "s", 0.5).kept_ids) == ["a", "ä"]
    assert list(kp.select(table, "low", 0.5).kept_ids) == ["007", "b, c"]


def test_ids_may_be_the_positions():
    table = kp.ScoreTable.from_scores(None, [0, 1, 0], {"s": [1, 2, 3]}, HARDER)
    assert table.ids.tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("scores", "directions", "message"),
    [
        ({"s": VALUES}, {}, r"Invalid `higher_is_harder`. Expected True or False.*'s'.*Received"),
        ({"s": VALUES}, True, "Invalid `higher_is_harder`.*Received: True"),
        ({"s": VALUES}, {"s": "yes"}, "Invalid `higher_is_harder`.*'yes'"),
        ({"s": VALUES}, {"s": True, "t": True}, "Invalid `higher_is_harder`"),
        ({}, {}, "Invalid `scores`. Expected a dictionary.*Received: a dictionary"),
        (VALUES, True, "Invalid `scores`. Expected a dictionary.*Received: a list of 4"),
        ({"s": VALUES[:3]}, HARDER, r"Invalid scores `s`. Expected shape \(4,\)"),
        ({"s": [*VALUES[:3], np.nan]}, HARDER, "Expected finite numbers.*first at position 3"),
        ({"../s": VALUES}, {"../s": True}, "Invalid name of a score"),
    ],
)
def test_arguments_that_are_refused(scores, directions, message):
    with pytest.raises(InputError, match=message):
        kp.ScoreTable.from_scores(IDS, [0, 1, 0, 1], scores, directions)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "bool", ">f4"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_npy_files_are_in_the_order_of_the_ids(dtype, shape, tmp_path):
    values = np.array(VALUES).astype(dtype)
    np.save(tmp_path / "s.npy", values.reshape(shape))
    table = from_file(tmp_path / "s.npy")
    np.testing.assert_array_equal(table["s"], values.astype(np.float32))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3), "other examples. Expected 4 values.*order of the data set. Received: 3"),
        (np.zeros((4, 2)), r"one number for each example, shape \(4,\). Received: shape \(4, 2\)"),
        (np.float64(1), r"Received: shape \(\)"),
        (np.array(["a"] * 4), "Expected numbers. Received: <U1"),
        (np.zeros(4, complex), "Expected numbers. Received: complex128"),
        (np.array([1, None, 2, 3]), "Pickles are not read.*numpy.save"),
    ],
)
def test_npy_files_that_are_refused(values, message, tmp_path):
    np.save(tmp_path / "s.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        from_file(tmp_path / "s.npy")


@pytest.mark.parametrize("suffix", [".npy", ".pickle", ".pkl", ".pt"])
def test_pickles_are_never_opened(suffix, tmp_path):
    (tmp_path / f"s{suffix}").write_bytes(pickle.dumps({"el2n": VALUES}))
    with pytest.raises(InputError, match="Expected.*npy.*Received.*Pickles are not read"):
        from_file(tmp_path / f"s{suffix}")


@pytest.mark.parametrize("suffix", IMPORTERS)
def test_a_missing_file_is_named(suffix, tmp_path):
    with pytest.raises(InputError, match=f"Missing file of scores.*none{suffix}"):
        read_scores(tmp_path / f"none{suffix}", "s", np.array(IDS))


@pytest.mark.parametrize(
    "header", ["id,s", "id,score", "id,label,s,t", "\ufeffid,s"], ids=["s", "one", "many", "bom"]
)
def test_csv_files_are_matched_by_id(header, tmp_path):
    rows = [["ä", "3"], ["b, c", "1e-3"], ["007", "-1"], ["a", ".5"]]
    extra = header.count(",") - 1
    lines = [
        f'"{name}",{"7," if extra else ""}{value}{",9" if extra else ""}' for name, value in rows
    ]
    path = write(tmp_path / "s.csv", "\n".join([header, *lines]))
    np.testing.assert_array_equal(from_file(path)["s"], np.float32(VALUES))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,s\na,1\nb,2\nx,3\ny,4\nz,5\nw,6\n", "Received: 4 unknown, 'x', 'y', 'z', …"),
        ("id,s\na,1\n", "Expected every id once. Received: 1 missing, 'b'$"),
        ("id,s\na,1\nb,2\na,1\n", "Expected every id once. Received: 1 repeated, 'a'$"),
        ("id,s\na,1\nb,\n", "Expected a number in every row. Received: none for 'b'"),
        ("id,s\na,nan\nb,1\n", "Expected a number in every row. Received: none for 'a'"),
        ("id,s\na,inf\nb,1\n", "Expected finite numbers"),
        ("id,s\na,x\nb,1\n", "Expected a CSV file of ids and numbers. Received.*'x'"),
        ("a,1\nb,2\n", "Expected a header with the column 'id'.*Received: a, 1"),
        ("id,t,u\na,1,2\nb,1,2\n", "the column 's' or 'score'. Received: id, t, u"),
        ("id,s,s\na,1,2\nb,1,2\n", "the column 's' or 'score'. Received: id, s, s"),
        ("id,s\na,1,2\n", "Expected a CSV file of ids and numbers"),
        ("", "Received: Empty CSV file"),
        ("id,s\n", "Received: 2 missing, 'a', 'b'"),
    ],
)
def test_csv_files_that_are_refused(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        from_file(write(tmp_path / "s.csv", text), ["a", "b"])


def test_our_own_csv_is_read_back(tmp_path):
    scores = {"s": np.float32([0.1, 1 / 3, -5]), "t": [1, 2, 3]}
    table = kp.ScoreTable.from_scores(["x", "2", "01"], [0, 1, 0], scores, {"s": True, "t": False})
    table.to_csv(tmp_path / "scores.csv")
    again = kp.ScoreTable.from_scores(
        table.ids,
        table.labels,
        dict.fromkeys("st", tmp_path / "scores.csv"),
        {"s": True, "t": False},
    )
    assert again.digest == table.digest
