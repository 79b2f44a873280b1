import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning.reports.captions import caption, class_text, id_text
from keras_pruning.reports.pictures import drawable, grid


def example(identifier="7", name="cat"):
    x, y = np.zeros((2, 4, 4, 1), np.uint8), [0, 1]
    return kp.Examples.from_arrays(x, y, ids=["other", identifier], class_names=["other", name])


def test_a_caption_is_id_class_and_score():
    assert caption(example("train-17", "cat"), 1, 0.12345) == ["train-17", "cat", "0.123"]


@pytest.mark.parametrize(
    "identifier, shown",
    [
        ("a/b.png", "a/b.png"),
        # The folder of a long path is left out.
        ("train/cats/IMG_0017.png", "IMG_0017.png"),
        ("a-long-identifier", "a-long-identifier"),
        ("a-long-folder/", "a-long-folder/"),
        ("köln", "koln"),
        ("猫/1.png", "?/1.png"),
        ("猫犬", "row 1"),
        ("a\tb\nc", "a\\tb\\nc"),
        ("\u202eabc", "\\u202eabc"),
    ],
)
def test_an_id_has_only_letters_of_the_font(identifier, shown):
    assert id_text(example(identifier), 1) == shown
    assert all(map(drawable, shown))


@pytest.mark.parametrize(
    "name, shown",
    [("café au lait", "cafe au lait"), ("猫", "class 1"), ("ß", "class 1"), ("a\nb", "a\\nb")],
)
def test_a_class_without_letters_of_the_font_is_a_number(name, shown):
    assert class_text(example(name=name), 1) == shown


def test_the_font_has_only_letters_without_accents():
    assert all(map(drawable, "azAZ09 ~<>…°"))
    assert not any(map(drawable, "éß猫\u0301\n\x7f"))


def drawn(line):
    return grid(np.zeros((1, 4, 4, 1), np.uint8), [[line]])


def test_long_lines_lose_their_middle():
    """Both ends are shown: ids differ at their ends, classes at their beginnings."""
    shown = {line: drawn(line) for line in ("A" * 30 + "B", "A" * 31, "B" + "A" * 30, "A" * 60)}
    first, same, start, longer = shown.values()
    assert (first != same).any()
    assert (start != same).any()
    np.testing.assert_array_equal(same, longer)
    # Nothing is drawn outside of the column of the example.
    assert (drawn("A" * 5000)[:, 132:] == 255).all()
