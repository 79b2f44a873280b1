"""Exported lists of ids."""

import csv

import pytest
from support import exported

import keras_pruning as kp


def test_ids_labels_and_class_names_come_back(tmp_path):
    part = exported.examples("dictionary", class_names=["=zebra", "'a", "-1"])
    path = kp.export(part, "csv", tmp_path / "out")
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "label", "class_name"]
    # One leading apostrophe marks a text that a spreadsheet would run.
    assert [row["id"].removeprefix("'") for row in rows] == part.ids.tolist()
    assert [int(row["label"]) for row in rows] == part.labels.tolist()
    names = [row["class_name"].removeprefix("'") for row in rows]
    assert names == [part.class_names[label] for label in part.labels]


def test_a_list_of_ids_is_no_data_set(tmp_path):
    """The class names beside the labels must not become inputs that give the label away."""
    part = kp.Examples.from_arrays([1, 2, 3], [0, 1, 0], class_names=["a", "b"])
    path = kp.export(part, "csv", tmp_path / "out")
    with pytest.raises(kp.InputError, match="No inputs in"):
        kp.load_examples(f"csv:{path}")


def test_formulas_are_defused(tmp_path):
    part = kp.Examples.from_arrays([1, 2, 3], [0, 1, 0], ids=["=1+1", "'=1", "-5"])
    path = kp.export(part, "csv", tmp_path / "out")
    ids = [line.split(",")[0] for line in path.read_text().splitlines()[1:]]
    assert ids == ["'=1+1", "''=1", "-5"]
