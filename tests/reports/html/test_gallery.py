"""The gallery: the right examples of each class, whatever they are, and within the page's room."""

from urllib.parse import unquote

import numpy as np
import pytest
from support import image_folder
from support.scored import HOSTILE, read, table

import keras_pruning as kp
from keras_pruning.reports.html.gallery import difficulty_ranks, gallery_section
from keras_pruning.reports.html.gallery_entries import SUSPECTED, Scored
from keras_pruning.reports.html.page import page_text
from keras_pruning.wrong_labels.suspect_list import SuspectList


def groups(section):
    """Dictionary from class, kind and score to the ids of the group."""
    return {
        (shown["name"], group["kind"], group["score"]): [entry["id"] for entry in group["entries"]]
        for shown in section.context["classes"]
        for group in shown["groups"]
    }


def test_hardest_and_easiest_of_each_class_by_hand():
    labels = [0, 1, 0, 0, 1, 0, 0, 3]
    values = [5.0, 1.0, 2.0, 9.0, 3.0, 7.0, 4.0, 6.0]
    made = groups(gallery_section(Scored(table(labels, {"el2n": values}))))
    assert made == {
        ("0", "Hardest", "el2n"): ["3", "5", "0"],
        ("0", "Easiest", "el2n"): ["2", "6"],
        ("1", "Hardest", "el2n"): ["4"],
        ("1", "Easiest", "el2n"): ["1"],
        # A class of one example, and none of class 2
        ("3", "Hardest", "el2n"): ["7"],
    }
    turned = groups(gallery_section(Scored(table(labels, {"aum": values}, higher=False))))
    assert turned["0", "Hardest", "aum"] == ["2", "6", "0"]
    assert turned["0", "Easiest", "aum"] == ["3", "5"]


def test_ties_are_not_shown_by_row_and_come_back():
    scores = table(np.zeros(200, int), {"forgetting": np.zeros(200)})
    first, second = (groups(gallery_section(Scored(scores))) for _ in range(2))
    assert first == second
    shown = [int(identifier) for identifier in first["0", "Hardest", "forgetting"]]
    assert shown != sorted(shown)
    assert max(shown) > 20


def test_ranks_count_from_the_hardest():
    ranks = difficulty_ranks(table([0, 1, 0], {"a": [1.0, 3.0, 2.0]}))
    np.testing.assert_array_equal(ranks["a"], [2, 0, 1])


def test_suspects_have_their_label_and_the_other_class():
    examples = kp.Examples.from_arrays(
        np.zeros((4, 2, 2, 1)), [0, 1, 0, 1], class_names=["cat", "dog"]
    )
    scores = table(examples.labels, {"aum": [1.0, 2.0, 3.0, 4.0]}, examples=examples)
    predicted, share = np.array([1, 0, 1, 1]), np.array([1, 1, 2 / 3, 1])
    suspects = SuspectList(examples, np.array([2, 0]), "aum", scores["aum"], predicted, share)
    section = gallery_section(Scored(scores, examples, suspects))
    assert groups(section)["cat", SUSPECTED, "aum"] == ["2", "0"]
    assert ("dog", SUSPECTED, "aum") not in groups(section)
    text = read(page_text("T", [section])).text
    assert "label cat, or dog? (67 % of probes)" in text


def test_suspects_by_a_score_of_another_table():
    """The doctor may take other scores than the table of the page has."""
    examples = kp.Examples.from_arrays(np.zeros((3, 2, 2, 1)), [0, 1, 0])
    scores = table(examples.labels, {"el2n": [1.0, 2.0, 3.0]}, examples=examples)
    suspects = SuspectList(examples, np.array([2]), "confidence", np.array([0.9, 0.8, 0.125]))
    section = gallery_section(Scored(scores, examples, suspects))
    assert groups(section)["0", SUSPECTED, "confidence"] == ["2"]
    assert "confidence 0.125" in read(page_text("T", [section])).text


def test_many_classes_and_scores_stay_within_the_page():
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 120
    x = rng.integers(0, 256, (3000, 24, 24, 3), "uint8")
    examples = kp.Examples.from_arrays(x, labels)
    scores = {f"score{number}": rng.random(3000) for number in range(6)}
    # Class 7 is the hardest by the first score.
    scores["score0"][labels == 7] += 1
    section = gallery_section(Scored(table(labels, scores, examples=examples), examples))
    text = page_text("T", [section])
    # 4.3 MB less the chart libraries
    assert len(text.encode()) < 3_400_000
    names = [shown["name"] for shown in section.context["classes"]]
    assert len(names) == 40 and "7" in names
    assert "40 of 120 classes" in read(text).text


def test_a_sprite_without_room_shows_fewer_examples():
    x = np.random.default_rng(0).integers(0, 256, (400, 32, 32, 3), "uint8")
    examples = kp.Examples.from_arrays(x, np.arange(400) % 10)
    scores = table(examples.labels, {"el2n": np.arange(400.0)}, examples=examples)
    section = gallery_section(Scored(scores, examples), most_bytes=20_000)
    assert len(section.context["sprite"].content) <= 20_000
    assert 0 < len(groups(section)["3", "Hardest", "el2n"]) < 8


INPUTS = {
    "texts": (np.array(["short\ntext", "x" * 500, *HOSTILE, "z"]), "short text"),
    "rows": (np.arange(40.0).reshape(10, 4), "0, 1, 2, 3"),
    "long rows": (np.zeros((10, 100)), "0, 0, 0, 0, 0, 0, 0, 0, … (100,)"),
    "columns": ({"age": np.arange(10), "job": np.array([*HOSTILE, *"abc"])}, "age: 0; job:"),
    "pairs": ((np.zeros((10, 2)), np.ones((10, 3, 3, 2))), "0: 0, 0; 1: 1, 1"),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_examples_that_are_no_pictures_are_a_line_of_text(kind):
    x, expected = INPUTS[kind]
    examples = kp.Examples.from_arrays(x, [0] * 10)
    scores = table(examples.labels, {"el2n": np.arange(10.0)}, examples=examples)
    section = gallery_section(Scored(scores, examples))
    page = read(page_text("T", [section]))
    assert section.context["sprite"] is None
    assert page.named("img") == []
    assert expected in page.text
    texts = [entry["text"] for shown in section.context["classes"] for entry in _entries(shown)]
    assert max(map(len, texts)) <= 160


def _entries(shown):
    return [entry for group in shown["groups"] for entry in group["entries"]]


def test_without_examples_there_are_ids():
    section = gallery_section(Scored(table([0, 1], {"el2n": [1.0, 2.0]}, ids=["<a>", "b"])))
    page = read(page_text("T", [section]))
    assert page.named("img") == [] and "<a> label 0 el2n 1" in page.text


def test_names_from_data_are_text():
    labels = np.arange(28) % len(HOSTILE)
    ids = [f"{HOSTILE[label]}/{row}" for row, label in enumerate(labels)]
    examples = kp.Examples.from_arrays(np.zeros((28, 3, 3, 1)), labels, ids, class_names=HOSTILE)
    scores = table(labels, {"el2n": np.arange(28.0)}, ids, examples=examples)
    plain = kp.Examples.from_arrays(np.zeros((28, 3, 3, 1)), labels)
    plain_scores = table(labels, {"el2n": np.arange(28.0)}, examples=plain)
    text = page_text("T", [gallery_section(Scored(scores, examples))])
    page, expected = (
        read(text),
        read(page_text("T", [gallery_section(Scored(plain_scores, plain))])),
    )
    # The same elements as with numbers for names, so that no name has become one
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in expected.elements]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert not set(text) & {"\x1b", "\u202e"}


def test_every_picture_has_an_alternative_text_and_a_place():
    examples = kp.load_examples("digits", fraction=0.1)
    scores = table(examples.labels, {"el2n": np.arange(len(examples))}, examples.ids)
    page = read(page_text("T", [gallery_section(Scored(scores, examples))]))
    tiles = page.named("img")
    assert len(tiles) >= 100
    for tile in tiles:
        assert tile["alt"].startswith("Example digits-")
        assert tile["style"].startswith("background-position:-")
    names = [select["name"] for select in page.named("select")]
    assert names == ["class", "score", "order"]
    assert len(page.named("label")) == 3


def test_ids_of_a_folder_lead_to_their_files(tmp_path, monkeypatch):
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    names = ["a b#1.png", "javascript:alert(1).png", "100%.png", "kätzchen?.png", "'\"<b>.png"]
    for number in range(2):
        for name in names:
            image_folder.save(folder / f"class{number}" / name, rng.integers(0, 9, (4, 4), "uint8"))
    monkeypatch.chdir(tmp_path)
    examples = kp.load_examples("folder:data")
    scores = table(examples.labels, {"el2n": np.arange(10.0)}, examples.ids, examples=examples)
    beside = tmp_path / "runs" / "mine"
    beside.mkdir(parents=True)
    text = page_text("T", [gallery_section(Scored(scores, examples, beside="runs/mine"))])
    links = [link["href"] for link in read(text).named("a")]
    assert len(links) == 10
    for link in links:
        assert link.startswith("./../../data/")
        assert not set(link) & set(" #?:\"'<>")
        assert (beside / unquote(link)).is_file()
    without = page_text("T", [gallery_section(Scored(scores, examples))])
    assert read(without).named("a") == []


def test_estimated_scores_say_so():
    scores = kp.ScoreTable(
        ["a", "b"],
        [0, 0],
        {"el2n": [1.0, 2.0]},
        metadata={"scores": {"el2n": {"higher_is_harder": True}}},
        extrapolated=[True, False],
    )
    text = read(page_text("T", [gallery_section(Scored(scores))])).text
    assert "el2n 1, estimated" in text and "el2n 2, estimated" not in text
