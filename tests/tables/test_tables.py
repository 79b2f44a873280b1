"""Score tables and subsets, in memory and on disk."""

import csv
import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError


def table(**scores):
    scores = scores or {"el2n": [0.25, 1.0, 0.5]}
    metadata = {
        "examples": {"fingerprint": "f"},
        "scores": {name: {"higher_is_harder": name != "aum"} for name in scores},
    }
    return kp.ScoreTable(["a", "b", "ü"], [0, 1, 0], scores, metadata=metadata)


def test_difficulty_is_oriented():
    scores = table(el2n=[1, 2, 3], aum=[1, 2, 3])
    np.testing.assert_array_equal(scores.difficulty("el2n"), [1, 2, 3])
    np.testing.assert_array_equal(scores.difficulty("aum"), [-1, -2, -3])
    assert scores["aum"].dtype == np.float32


def test_a_direction_is_never_guessed():
    bare = kp.ScoreTable(["a"], [0], {"own": [1]})
    with pytest.raises(InputError, match="direction of `own` is not recorded.*higher_is_harder"):
        kp.select(bare, "own", 1)
    assert len(kp.select(bare, None, 1, "random")) == 1


def test_mean_and_standard_error_by_hand():
    """1, 2, 6: mean 3, sample variance 7, standard error √(7/3); a lone score has none."""
    tables = [table(el2n=[1, 0, 0], vog=[5, 5, 5]), table(el2n=[2, 0, 0]), table(el2n=[6, 0, 3])]
    mean = kp.ScoreTable.over_seeds(tables)
    np.testing.assert_allclose(mean["el2n"], [3, 0, 1])
    np.testing.assert_allclose(mean.standard_errors["el2n"], [(7 / 3) ** 0.5, 0, 1])
    np.testing.assert_array_equal(mean["vog"], [5, 5, 5])
    assert list(mean.standard_errors) == ["el2n"]
    assert mean.metadata["scores"].keys() == {"el2n", "vog"}


def test_tables_of_other_examples_have_no_mean():
    other = kp.ScoreTable(["b", "a", "ü"], [0, 1, 0], {"el2n": [1, 2, 3]})
    with pytest.raises(InputError, match="tables are about different examples"):
        kp.ScoreTable.over_seeds([table(), other])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": "b"}, "the same `inputs` in .*'a' and 'b'"),
        ({"split": "test", "seed": 1}, "the same `split`, `seed`.*'train' and 'test', 0 and 1"),
    ],
)
def test_tables_of_other_inputs_have_no_mean(changes, message):
    examples = {"source": "digits", "split": "train", "seed": 0, "inputs": "a"}
    tables = [table(), table()]
    for one, provenance in zip(tables, (examples, {**examples, **changes}), strict=True):
        one.metadata["examples"] = provenance
    with pytest.raises(InputError, match=f"tables are about different examples.*{message}"):
        kp.ScoreTable.over_seeds(tables)
    # Files of earlier versions leave out the label noise, which was 0.
    tables[1].metadata["examples"] = {**examples, "label_noise": 0.0}
    assert kp.ScoreTable.over_seeds(tables).names == ["el2n"]


def test_no_tables_have_no_mean():
    with pytest.raises(InputError, match="Expected at least one ScoreTable. Received: none"):
        kp.ScoreTable.over_seeds([])


def test_the_digest_sees_every_column():
    ids, labels, scores = ["a", "bc", "d"], [0, 1, 0], {"el2n": [1, 2, 3], "vog": [4, 5, 6]}
    first = kp.ScoreTable(ids, labels, scores)
    assert first.digest == kp.ScoreTable(np.array(ids, "U90"), np.int32(labels), scores).digest
    errors, marks = {"vog": [1, 1, 1]}, [False, True, False]
    others = [
        # The same text in a row, but cut at another place.
        kp.ScoreTable(["ab", "c", "d"], labels, scores),
        kp.ScoreTable(ids, [0, 1, 1], scores),
        kp.ScoreTable(ids, labels, {**scores, "vog": [4, 5, 7]}),
        kp.ScoreTable(ids, labels, {"el2n": scores["vog"], "vog": scores["el2n"]}),
        kp.ScoreTable(ids, labels, {"vog": scores["vog"], "el2n": scores["el2n"]}),
        kp.ScoreTable(ids, labels, {"el2n": scores["el2n"], "aum": scores["vog"]}),
        kp.ScoreTable(ids, labels, scores, errors),
        kp.ScoreTable(ids, labels, scores, extrapolated=marks),
    ]
    assert len({first.digest, *[other.digest for other in others]}) == 9


def test_the_digest_is_the_hash_that_is_documented():
    """Subsets of earlier versions name it, so it stays."""
    ids, labels = ["a", "", "äx"], np.array([2, 0, 1])
    scores = {"s": np.array([0.5, -1, 3], np.float32)}
    marks = np.array([True, False, False])
    table = kp.ScoreTable(ids, labels, scores, extrapolated=marks)
    text = "".join(ids).encode()
    parts = [b"id", b"string", np.array([1, 0, 3], "<i4").tobytes(), text]
    parts += [b"label", b"int64", labels.astype("<i8").tobytes()]
    parts += [b"s", b"float", scores["s"].tobytes(), b"extrapolated", b"bool", marks.tobytes()]
    hashed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    assert table.digest == hashlib.sha256(hashed).hexdigest()[:32]


def test_the_columns_of_a_table_are_read_only(tmp_path):
    """A subset names the digest of the table, which a change would make wrong."""
    scores = np.zeros(3, np.float32)
    table = kp.ScoreTable(["a", "b", "c"], [0, 1, 0], {"s": scores}, {"s": scores})
    table.save(tmp_path / "scores.parquet")
    digest = table.digest
    for same in (table, kp.ScoreTable.load(tmp_path / "scores.parquet")):
        for column in (same.ids, same.labels, same["s"], same.standard_errors["s"]):
            with pytest.raises(ValueError, match="read-only"):
                column[0] = column[1]
    scores[0] = 7
    assert table["s"][0] == 0
    assert table.digest == digest


def test_the_digest_stays_through_a_file(tmp_path):
    saved = kp.ScoreTable.over_seeds([table(el2n=[1, 2, 3]), table(el2n=[2, 2, 2])])
    saved.save(tmp_path / "scores.parquet")
    assert kp.ScoreTable.load(tmp_path / "scores.parquet").digest == saved.digest
    assert kp.select(saved, "el2n", 0.5).metadata["table"] == saved.digest


def test_the_digest_of_a_subset_is_injective():
    """Joined by NUL, the ids of these two would be the same."""
    subsets = [kp.Subset(ids, [0, 0], [True, True]) for ids in (["a", "bc"], ["ab", "c"])]
    assert subsets[0].digest != subsets[1].digest
    assert subsets[0].digest != kp.Subset(["a", "bc"], [0, 0], [True, False]).digest


def test_tables_and_subsets_describe_themselves():
    assert repr(table(el2n=[1, 2, 3], aum=[1, 2, 3])) == "<ScoreTable of 3 examples: el2n, aum>"
    subset = kp.select(table(), "el2n", 2 / 3, quota="balanced")
    assert repr(subset) == "<Subset of 2 of 3 examples: el2n-hardest-balanced>"
    assert repr(kp.Subset(["a"], [0], [True])) == "<Subset of 1 of 1 examples: own>"


def test_numpy_numbers_are_numbers(tmp_path):
    subset = kp.select(table(), "el2n", np.float32(0.5), seed=np.int64(1))
    subset.save(tmp_path / "subset.parquet")
    assert kp.Subset.load(tmp_path / "subset.parquet").selection["keep_fraction"] == 0.5


def test_a_hand_made_subset_has_a_selection(tmp_path):
    subset = kp.Subset(["a", "b"], [0, 1], [True, False])
    assert subset.selection["policy"] == "own"
    assert subset.selection["keep_fraction"] == 0.5


def test_saved_and_loaded_it_is_the_same(tmp_path):
    saved = kp.ScoreTable.over_seeds([table(el2n=[1, 2, 3]), table(el2n=[2, 2, 2])])
    saved.save(tmp_path / "scores.parquet")
    loaded = kp.ScoreTable.load(tmp_path / "scores.parquet")
    assert loaded.names == ["el2n"]
    np.testing.assert_array_equal(loaded["el2n"], saved["el2n"])
    np.testing.assert_array_equal(loaded.standard_errors["el2n"], saved.standard_errors["el2n"])
    np.testing.assert_array_equal(loaded.ids, ["a", "b", "ü"])
    np.testing.assert_array_equal(loaded.labels, [0, 1, 0])
    assert loaded.metadata == saved.metadata


def test_the_file_has_the_columns_of_the_contract(tmp_path):
    kp.ScoreTable.over_seeds([table(), table()]).save(tmp_path / "scores.parquet")
    stored = pq.read_table(tmp_path / "scores.parquet")
    assert stored.column_names == ["id", "label", "el2n", "el2n_se"]
    assert json.loads(stored.schema.metadata[b"metadata"])["examples"]["fingerprint"] == "f"


def test_csv_for_people(tmp_path):
    table().to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["id", "label", "el2n"],
        ["a", "0", "0.25"],
        ["b", "1", "1.0"],
        ["ü", "0", "0.5"],
    ]


def test_csv_runs_no_formulas_and_keeps_numbers(tmp_path):
    ids = ["=1+1", "+a", "-b", "@c", "\td", "кот/1.png", "-5"]
    scores = kp.ScoreTable(ids, [0] * 7, {"aum": [-1.5] * 7})
    scores.to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in ids[:5]] + ids[5:]
    assert {row[2] for row in rows[1:]} == {"-1.5"}


def test_every_score_comes_back_from_a_file(tmp_path):
    """Also one without metadata, and one whose name ends like that of a standard error."""
    columns = {"el2n": [1, 2, 3], "own": [4, 5, 6], "own_se": [7, 8, 9]}
    metadata = {"scores": {"el2n": {}, "own_se": {}}}
    kp.ScoreTable(list("abc"), [0, 0, 0], columns, {"el2n": [1, 1, 1]}, metadata).save(
        tmp_path / "t"
    )
    loaded = kp.ScoreTable.load(tmp_path / "t")
    assert loaded.names == ["el2n", "own", "own_se"]
    assert list(loaded.standard_errors) == ["el2n"]


@pytest.mark.parametrize("name", ["id", "label", "extrapolated", "el2n_se"])
def test_no_score_takes_the_place_of_another_column(name):
    with pytest.raises(InputError, match=f"Invalid name of a score. Expected none.*'{name}'"):
        kp.ScoreTable(["a"], [0], {"el2n": [1], name: [2]}, {"el2n": [0]})


@pytest.mark.parametrize(
    ("ids", "received"),
    [
        (["a", "b\0"], r"'b.+x00' .* position 1"),
        (np.array(["a", "b\0c"]), r"'b.+x00c' .* position 1"),
        (["a", "b\ud800"], r"'b.+ud800' .* position 1"),
        (["a", None], "None .* position 1"),
        (["a", float("nan")], "nan"),
        ([0.5, 1.5], "0.5"),
        ([b"a", b"b"], "b'a'"),
        (["a", "a"], "'a' at positions 0 and 1"),
        ("ab", "a str"),
    ],
)
def test_ids_that_no_file_can_hold_are_refused(ids, received):
    with pytest.raises(InputError, match=f"Invalid `ids`. Expected .*Received: {received}"):
        kp.ScoreTable(ids, [0, 1], {"el2n": [1, 2]})


@pytest.mark.parametrize(
    ("labels", "mask", "message"),
    [
        ([0.5, 1], [True, True], "Invalid `labels`. Expected integers >= 0 of.*float64"),
        ([0, -1], [True, True], "Invalid `labels`. Expected integers >= 0. Received: -1"),
        ([0], [True, True], r"Invalid `labels`.*shape \(2,\).*shape \(1,\)"),
        ([0, 1], [0, 2], "Invalid `mask`. Expected booleans. Received: 2 among them"),
        ([0, 1], ["a", ""], "Invalid `mask`. Expected booleans"),
    ],
)
def test_a_subset_of_other_types_is_refused(labels, mask, message):
    with pytest.raises(InputError, match=message):
        kp.Subset(["a", "b"], labels, mask)


def test_masked_scores_are_refused():
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    with pytest.raises(InputError, match="Expected finite numbers.*first at position 1"):
        table(el2n=masked)


def test_nothing_is_overwritten_silently(tmp_path):
    for name, save in (("t.parquet", table().save), ("t.csv", table().to_csv)):
        path = tmp_path / name
        save(path)
        before = path.read_bytes()
        with pytest.raises(InputError, match="exists already and is not overwritten"):
            save(path)
        assert path.read_bytes() == before
        save(path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.parquet"]


@pytest.mark.parametrize("load", [kp.ScoreTable.load, kp.Subset.load])
def test_missing_truncated_and_foreign_files_are_refused(load, tmp_path):
    with pytest.raises(InputError, match="Missing file. Expected a Parquet file"):
        load(tmp_path / "nowhere.parquet")
    table().save(tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    for length in (0, 3, 100, len(content) - 1):
        (tmp_path / "cut.parquet").write_bytes(content[:length])
        with pytest.raises(InputError, match="Cannot read .*cut.parquet as Parquet.*truncated"):
            load(tmp_path / "cut.parquet")
    import pyarrow as pa

    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "foreign.parquet")
    with pytest.raises(InputError, match="is another kind of file. Expected a Parquet file"):
        load(tmp_path / "foreign.parquet")


def test_a_subset_is_no_score_table(tmp_path):
    kp.select(table(), "el2n", 0.5).save(tmp_path / "subset.parquet")
    with pytest.raises(
        InputError, match="another kind of file. Expected a Parquet file of .*scores"
    ):
        kp.ScoreTable.load(tmp_path / "subset.parquet")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2], r"Expected shape \(3,\), one value an example. Received: \(2,\)"),
        ([1, np.nan, 2], "Expected finite numbers. Received: NaN or infinity, first at position 1"),
        ([1, 2, np.inf], "first at position 2"),
    ],
)
def test_refuses_scores_that_are_no_column_of_numbers(values, message):
    with pytest.raises(InputError, match=message):
        table(el2n=values)


@pytest.mark.filterwarnings("ignore:The policy .* keeps no example")
def test_a_subset_saved_and_loaded_keeps_the_same(tmp_path):
    examples = small.digits(60)
    scores = kp.ScoreTable(
        examples.ids,
        examples.labels,
        {"el2n": np.arange(60)},
        metadata={"examples": examples.provenance, "scores": {"el2n": {"higher_is_harder": True}}},
    )
    subset = kp.select(scores, "el2n", 0.5)
    subset.save(tmp_path / "el2n-0.5.parquet")
    loaded = kp.Subset.load(tmp_path / "el2n-0.5.parquet")
    assert pq.read_table(tmp_path / "el2n-0.5.parquet").column_names == ["kept", "id", "label"]
    np.testing.assert_array_equal(loaded.kept_ids, examples.ids[30:])
    np.testing.assert_array_equal(loaded.mask, np.arange(60) >= 30)
    np.testing.assert_array_equal(examples.keep(loaded).ids, examples.ids[30:])
    assert loaded.metadata["selection"] == {
        "embedding": None,
        "by": "el2n",
        "policy": "hardest",
        "policy_options": {},
        "quota_options": {},
        "quota": None,
        "keep_fraction": 0.5,
        "kept": 30,
        "seed": 0,
        "extrapolated": False,
    }


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"split": "test"}, "Expected split='test'.*Received: split='train'"),
        ({"fraction": 0.5}, "Expected fraction=0.5.*Received: fraction=1.0"),
        ({"fraction": 0.5, "seed": 3}, "seed=3.*Received.*seed=0"),
    ],
)
def test_a_subset_of_other_examples_is_refused_by_name(other, message):
    examples = kp.load_examples("digits")
    scores = kp.ScoreTable(
        examples.ids,
        examples.labels,
        {"el2n": np.arange(len(examples))},
        metadata={"examples": examples.provenance, "scores": {"el2n": {"higher_is_harder": True}}},
    )
    subset = kp.select(scores, "el2n", 0.25)
    with pytest.raises(InputError, match=f"subset was made from other examples.*{message}"):
        kp.load_examples("digits", **other).keep(subset)
