"""Tables in CSV and Parquet files, and a test set that is drawn from them."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn.datasets import load_wine
from support.small import run

from keras_pruning import Examples, InputError, load_examples

WINE = load_wine()
COLUMNS = {
    "size": [1.5, 2.5, 3.5, 4.5],
    "count": [1, 2, 3, 4],
    "label": ["red", "white", "red", "white"],
    "split": ["train", "train", "test", "test"],
    "id": ["a", "b", "c", "d"],
}


def write(folder, kind, columns):
    path = folder / f"table.{kind}"
    table = pa.table(columns)
    (pa.csv.write_csv if kind == "csv" else pa.parquet.write_table)(table, path)
    return f"{kind}:{path}"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_of_numbers_are_one_array(tmp_path, kind):
    name = write(tmp_path, kind, COLUMNS)
    train, test = load_examples(name), load_examples(name, "test")
    assert (train.ids.tolist(), test.ids.tolist()) == (["a", "b"], ["c", "d"])
    assert (test.labels.tolist(), test.class_names) == ([0, 1], ["red", "white"])
    ((x, _),) = test.batches(2)
    np.testing.assert_array_equal(x, [[3.5, 3], [4.5, 4]])
    assert x.dtype == "float32"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_texts_and_numbers_are_a_dictionary(tmp_path, kind):
    columns = COLUMNS | {"note": ["x", "y", "z", ""]}
    ((x, _),) = load_examples(write(tmp_path, kind, columns), "test").batches(2)
    assert x["note"].numpy().tolist() == [b"z", b""]
    assert {name: part.dtype.name for name, part in x.items()} == {
        "size": "float32",
        "count": "int64",
        "note": "string",
    }
    alone = load_examples(write(tmp_path, kind, columns), input_columns=["note"])
    assert alone.stored_inputs([0, 1]).tolist() == ["x", "y"]


def test_names_of_columns_are_options(tmp_path):
    columns = {"y": [0, 1, 0, 1], "a": [1, 2, 3, 4], "b": [5, 6, 7, 8], "part": COLUMNS["split"]}
    name = write(tmp_path, "csv", columns)
    options = {"label_column": "y", "id_column": "b", "split_column": "part"}
    examples = load_examples(name, "test", **options)
    assert examples.ids.tolist() == ["7", "8"]
    assert examples.stored_inputs([0, 1]).tolist() == [[3], [4]]
    both = load_examples(name, "test", label_column="y", split_column="part")
    assert both.ids.tolist() == ["2", "3"]
    ordered = load_examples(name, input_columns=["b", "a"], **options | {"id_column": None})
    assert ordered.stored_inputs([0]).tolist() == [[5, 1]]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_test_set_is_drawn_stratified_and_stays(tmp_path, kind):
    columns = {str(place): column for place, column in enumerate(WINE.data.T)}
    name = write(tmp_path, kind, columns | {"label": WINE.target})
    train, test = (load_examples(name, split, test_fraction=0.25) for split in ("train", "test"))
    assert (len(train), len(test)) == (133, 45)
    assert set(train.ids) | set(test.ids) == set(map(str, range(178)))
    shares = [np.bincount(labels) / len(labels) for labels in (test.labels, WINE.target)]
    np.testing.assert_allclose(*shares, atol=0.02)
    again = load_examples(name, "test", test_fraction=0.25, seed=7)
    assert again.fingerprint == test.fingerprint
    # The values are those of an array
    whole = Examples.from_arrays(WINE.data, WINE.target)
    rows = test.ids.astype(int)
    np.testing.assert_array_equal(
        test.stored_inputs(np.arange(45)), whole.stored_inputs(rows).astype("float32")
    )


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"label": None}, {}, "Cannot find the column 'label' of `dataset.label_column`.*size"),
        ({}, {"id_column": "key"}, "Cannot find the column 'key' of `dataset.id_column`"),
        ({}, {"input_columns": ["size", "no"]}, "column 'no' of `dataset.input_columns`"),
        ({"split": None}, {}, "No test examples in.*or `test_fraction`"),
        ({"split": ["train"] * 4}, {}, "No rows of the split 'test'.*Received: train"),
        (
            {"size": [1.5, 2.5, None, 4.5]},
            {},
            "Missing values.*1 missing.*'size', first in row 2",
        ),
        ({"label": ["red", "red", "red", "blue"]}, {}, r"among `class_names`.*\['blue'\]"),
        ({"id": list("abcc")}, {}, "Expected unique ids.*'c'"),
        ({"size": None, "count": None}, {}, "No inputs in"),
        (
            {},
            {"input_columns": ["size", "label"]},
            "`input_columns`.*Received: 'label', the column",
        ),
        ({"label": ["red", "", "red", "red"]}, {}, "Missing labels.*1 empty, first in row 1"),
        (
            {},
            {"image_size": 8},
            "Invalid `image_size`.*has no `image_column`",
        ),
        ({}, {"colour": 8}, "Unknown option of a source.*Received: 'colour'"),
        ({}, {"test_fraction": 1.5}, "Invalid `test_fraction`. Expected a float in"),
        ({}, {"test_fraction": "half"}, "Invalid `test_fraction`. Expected a float in"),
        ({}, {"test_fraction": 0.4}, "Invalid `test_fraction`.*has the column 'split'"),
        ({"split": None}, {"test_fraction": 0.9}, "leaves at least one example of 4"),
    ],
)
def test_refuses_tables(tmp_path, changes, options, message):
    columns = {key: value for key, value in (COLUMNS | changes).items() if value is not None}
    with pytest.raises(InputError, match=message):
        load_examples(write(tmp_path, "parquet", columns), "test", **options)


def test_refuses_files_that_are_no_tables(tmp_path):
    (tmp_path / "no.parquet").write_text("nothing")
    for name in ("csv:nowhere.csv", f"csv:{tmp_path}", f"parquet:{tmp_path}/no.parquet"):
        with pytest.raises(InputError, match="Cannot read .*Expected a (csv|parquet) file"):
            load_examples(name)
    with pytest.raises(InputError, match="`test_fraction`. Expected none, except for folder:, csv"):
        load_examples("digits", test_fraction=0.2)


def test_scale_replaces_that_of_the_source(tmp_path):
    x = np.arange(48, dtype="uint8").reshape(6, 2, 4)
    arrays = {"x_train": x, "x_test": x, "y_train": [0, 1] * 3, "y_test": [0, 1] * 3}
    np.savez(tmp_path / "pixels.npz", **arrays)
    name = f"npz:{tmp_path}/pixels.npz"
    plain, own = load_examples(name, scale=1), load_examples(name)
    ((pixels, _),) = plain.batches(6)
    ((scaled, _),) = own.batches(6)
    np.testing.assert_array_equal(pixels[..., 0], x)
    assert pixels.dtype == "uint8"
    np.testing.assert_array_equal(scaled[..., 0], x.astype("float32") / np.float32(255))
    assert plain.fingerprint != own.fingerprint
    assert load_examples(name, scale=1 / 255).fingerprint == own.fingerprint


def test_ids_of_a_csv_file_stay_as_they_are_written(tmp_path):
    (tmp_path / "t.csv").write_text("id,x,label\n007,1,a\n7,2,b\n010,3,a\n")
    assert load_examples(f"csv:{tmp_path}/t.csv").ids.tolist() == ["007", "7", "010"]


def test_other_splits_replace_test_or_are_counted(tmp_path):
    columns = COLUMNS | {"split": ["train", "validation", "validation", "dev"]}
    columns["label"] = ["red"] * 4
    name = write(tmp_path, "csv", columns)
    with pytest.warns(UserWarning, match="Left out of .*: 1 rows of the splits dev"):
        assert load_examples(name, "test").ids.tolist() == ["b", "c"]


@pytest.mark.slow
def test_commands_on_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = {str(place): column for place, column in enumerate(WINE.data.T)}
    name = write(tmp_path, "csv", columns | {"label": np.array(WINE.target_names)[WINE.target]})
    options = ["--dataset.name", name, "--dataset.test_fraction", "0.25", "--model.name", "mlp"]
    options += ["--training.epochs", "2", "--probe.epochs", "2"]
    assert run("score", *options, "--scores", "[el2n]", "--output", "scored") == 0
    assert run("train", *options, "--output", "trained") == 0
