"""The page of the doctor."""

from pathlib import Path

import numpy as np
import pytest
from support.scored import HOSTILE, read, table

import keras_pruning as kp
from keras_pruning.reports.html.doctor_page import write_doctor_page
from keras_pruning.reports.html.score_recipe import score_recipe_section
from keras_pruning.wrong_labels.advice import advise
from keras_pruning.wrong_labels.diagnosis import diagnose
from keras_pruning.wrong_labels.examination import Examination
from keras_pruning.wrong_labels.report import page_tables
from keras_pruning.wrong_labels.suspect_list import SuspectList
from keras_pruning.wrong_labels.suspects import Suspects

LABELS = np.arange(210) % 7


def page(path, names, rows, scores=("aum", "el2n")):
    """The page of a diagnosis, with the suspects in some rows."""
    noisy = np.where(np.arange(210) % 10 == 0, (LABELS + 1) % 7, LABELS)
    rng = np.random.default_rng(0)
    columns = {name: rng.random(210) + (noisy != LABELS) for name in scores}
    scored = table(noisy, columns)
    diagnosis = diagnose(scored, LABELS, names, 0.1)
    suspects = None
    if rows is not None:
        x = np.zeros((210, 3, 3, 1), "uint8")
        ids = [f"{names[label]}{row}" for row, label in enumerate(LABELS)]
        examples = kp.Examples.from_arrays(x, LABELS, ids, class_names=names)
        clean = table(LABELS, columns, ids, examples=examples)
        share = np.full(210, 2 / 3)
        ranked = SuspectList(examples, rows, scores[0], clean[scores[0]], (LABELS + 1) % 7, share)
        counts = 210, len(rows), len(rows)
        suspects = Suspects(Path("nowhere"), scores[0], 0.97, *counts, ranked, clean)
    examination = Examination(Path("nowhere"), diagnosis, advise(diagnosis), suspects)
    recipe = score_recipe_section(scored, "doctor --noise 0.1", {"seed": 0})
    write_doctor_page(path, page_tables(diagnosis), examination, recipe)
    return read(path.read_text()), diagnosis


PLAIN = [f"class{number}" for number in range(7)]


def test_diagnosis_advice_and_suspects_in_order(tmp_path):
    rows = np.random.default_rng(0).permutation(210)[:130]
    made, diagnosis = page(tmp_path / "report.html", PLAIN, rows)
    text = made.text
    order = ["Finding 21 wrong labels", diagnosis.advice[0], "The probes contradict the label of"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert f"{diagnosis.best.auroc:.3f}" in text[: places[1]]
    listed = [attributes["alt"] for attributes in made.named("img")][:100]
    assert listed == [
        f"Example class{LABELS[row]}{row}, label class{LABELS[row]}" for row in rows[:100]
    ]
    assert "The page has the first 100 of 130." in text
    assert "keras-pruning doctor --noise 0.1 --config report.yaml" in text
    assert made.named("title") and "Which labels are wrong?" in text


@pytest.mark.parametrize("rows", [None, np.arange(0)], ids=["no list", "an empty list"])
def test_a_page_without_suspects(rows, tmp_path):
    made, _ = page(tmp_path / "report.html", PLAIN, rows, ("el2n",))
    assert made.named("img") == []
    assert ("contradict the label of 0" in made.text) == (rows is not None)


def test_names_from_data_are_text(tmp_path):
    rows = np.arange(20)
    first, _ = page(tmp_path / "a.html", HOSTILE, rows)
    second, _ = page(tmp_path / "b.html", PLAIN, rows)
    assert [tag for tag, _ in first.elements] == [tag for tag, _ in second.elements]
    assert "<script>alert(1)</script>" in first.text
