"""Text from data cannot act on the terminal that shows it."""

import pytest

from keras_pruning.text import visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jcat", "\\x1b[2Jcat"),
        ("a\nerror: b\r", "a\\nerror: b\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202egnp.exe\u2066", "a\\u202egnp.exe\\u2066"),
        ("a\u2028b\x00\x07\x08", "a\\u2028b\\x00\\x07\\x08"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("[/x] [bold]кот 猫 é :smile: ± – 👩‍🔬", "[/x] [bold]кот 猫 é :smile: ± – 👩‍🔬"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown
    visible(text).encode("utf-8")


def test_lines_stay_apart():
    assert visible_lines("a\n\x1bb") == "a\n\\x1bb"
