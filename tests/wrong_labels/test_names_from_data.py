"""Names from data in the files and tables of the doctor: markup, formulas, any script."""

import csv

import numpy as np
import pytest
from PIL import Image

import keras_pruning as kp
from keras_pruning.commands import terminal
from keras_pruning.wrong_labels import suspect_list
from keras_pruning.wrong_labels.advice import advise
from keras_pruning.wrong_labels.diagnosis import diagnose
from keras_pruning.wrong_labels.report import as_tables, write_report
from keras_pruning.wrong_labels.suspect_list import SuspectList

NAMES = ["[/x]", "=1+1", "line\nbreak\x1b[2J", "\u202egnp", "שלום", "long" * 200, "\x00", "[b]猫"]


@pytest.fixture
def examples():
    labels = np.arange(80) % len(NAMES)
    ids = [f"{NAMES[label]}/{row}" for row, label in enumerate(labels)]
    # Ids are kept free of NUL by `Examples`.
    ids = [name.replace("\x00", "nul") for name in ids]
    pixels = np.zeros((80, 4, 4, 1), "float32")
    made = kp.Examples.from_arrays(pixels, labels, ids)
    made.class_names = list(NAMES)
    return made


def test_the_list_of_suspects_survives_any_name(examples, tmp_path):
    rows, predicted = np.arange(16), (examples.labels + 1) % len(NAMES)
    values = np.zeros(80)
    path = tmp_path / "suspects.csv"
    listed = SuspectList(examples, rows, "el2n", values, predicted, values + 1)
    listed.to_csv(path)
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    escaped = {"\x1b": r"\x1b", "\u202e": r"\u202e", "\x00": r"\x00"}
    names = [name.translate(str.maketrans(escaped)) for name in [*NAMES, *examples.ids[rows]]]
    assert [line["label_name"].removeprefix("'") for line in lines[:8]] == names[:8]
    assert [line["id"].removeprefix("'") for line in lines] == names[8:]
    assert not any(cell[:1] in ("=", "+", "-", "@") for line in lines for cell in line.values())
    listed.save_picture(tmp_path / "suspects.png")
    with Image.open(tmp_path / "suspects.png") as picture:
        assert picture.size[0] > 100


def test_captions_have_no_characters_that_are_obeyed():
    assert suspect_list._in_ascii("[/x]", "#0") == "[/x]"
    assert suspect_list._in_ascii("line\nbreak", "#2") == "#2"
    assert suspect_list._in_ascii("שלום", "#4") == "#4"


def test_the_report_and_its_tables_survive_any_name(examples, tmp_path, capsys):
    noisy = examples.labels.copy()
    noisy[:8] = (noisy[:8] + 1) % len(NAMES)
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    scores = {"el2n": np.where(np.arange(80) < 8, 2.0, 0.0) + (noisy == 0)}
    table = kp.ScoreTable(examples.ids, noisy, scores, metadata=metadata)
    diagnosis = diagnose(table, examples.labels, NAMES, 0.1)
    advice = advise(diagnosis)
    write_report(tmp_path, diagnosis, advice)
    for content in [line for title, shown in as_tables(diagnosis) for line in (title, shown)]:
        terminal.show(content)
    for sentence in advice:
        terminal.show(sentence)
    shown = capsys.readouterr().out
    assert "[/x]" in shown
    assert "Class [/x]" in shown
    assert not set(shown) & {"\x1b", "\x00", "\u202e"}
