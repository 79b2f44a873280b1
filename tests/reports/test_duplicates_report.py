"""The report on near duplicates: sentences, and text from data in its files."""

import csv

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning.reports import duplicates


@pytest.fixture
def report():
    """Three groups of two classes, one of them conflicting, and a leak."""
    vectors = np.repeat(np.eye(4), [3, 2, 2, 1], axis=0)
    labels, ids = [0, 0, 1, 0, 0, 1, 1, 0], ["=1+1", "b", "c", "d", "e", "f", "g", "h"]
    train = kp.Examples.from_arrays(vectors, labels, ids, class_names=["[red]x[/]", "-y"])
    test = kp.Examples.from_arrays(vectors[[3]], [0], class_names=["[red]x[/]", "-y"], split="test")
    groups = kp.near_duplicates(vectors, labels=train.labels)
    return train, groups, test, kp.leaks(vectors, vectors[[3]])


def test_figures_by_hand(report):
    train, groups, _, leaks = report
    figures = duplicates.summary(train, groups, leaks)
    largest = figures.pop("largest")
    assert figures == {
        "examples": 8,
        "threshold": 0.05,
        "groups": 3,
        "in_groups": 7,
        "kept": 4,
        "conflicting_groups": 1,
        "test_examples": 1,
        "leaked_test_examples": 1,
        "leaked_training_examples": 2,
    }
    first = {"examples": 3, "kept": 1, "classes": ["-y", "[red]x[/]"], "first_id": "=1+1"}
    assert largest[0] == first
    assert [group["examples"] for group in largest] == [3, 2, 2]
    sentences = [line for line in duplicates.lines({**figures, "largest": largest})]
    assert sentences[0].startswith("Near duplicates (1 − cos ≤ 0.05): 7 of 8 training examples")
    table = sentences[1]
    assert next(str(cell) for cell in table.columns[2].cells) == "-y, [red]x[/]"
    assert sentences[2].startswith("Conflicting labels: 1 groups.")
    assert sentences[3] == "Leaks: 1 of 1 test examples are near to 2 training examples."


def test_without_leaks_or_groups_there_is_one_sentence():
    train = kp.Examples.from_arrays(np.eye(3), [0, 1, 0])
    groups = kp.near_duplicates(np.eye(3), labels=train.labels)
    assert len(list(duplicates.lines(duplicates.summary(train, groups)))) == 1


def test_a_threshold_that_is_too_large_is_told():
    vectors = np.ones((40, 2))
    train = kp.Examples.from_arrays(vectors, np.zeros(40, int))
    groups = kp.near_duplicates(vectors, labels=train.labels)
    sentences = list(duplicates.lines(duplicates.summary(train, groups)))
    assert "hardly duplicates: lower --threshold" in sentences[2]


def test_csv_files_defuse_ids_and_names(report, tmp_path):
    train, groups, test, leaks = report
    duplicates.write_groups(tmp_path / "groups.csv", train, groups)
    duplicates.write_leaks(tmp_path / "leaks.csv", train, test, leaks)
    with open(tmp_path / "groups.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["'=1+1", "b", "c", "d", "e", "f", "g"]
    assert rows[1]["kept_id"] == "'=1+1"
    assert rows[2]["label_name"] == "'-y"
    assert [row["conflicting"] for row in rows] == ["True"] * 3 + ["False"] * 4
    with open(tmp_path / "leaks.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["test_id"], row["train_id"]) for row in rows] == [("0", "d"), ("0", "e")]
    assert {row["near_training_examples"] for row in rows} == {"2"}


def test_examples_that_are_no_images_have_no_pictures(report):
    assert duplicates.pictures(*report) == {}
