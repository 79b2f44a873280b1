"""Captions of examples in pictures: their id, their class and a score."""

import unicodedata

from keras_pruning.reports.pictures import drawable
from keras_pruning.reports.terminal_text import defused

# Stands for each character that the font lacks.
_LACKING = "?"
# Characters of an id that are about as wide as an example.
_LONG = 12


def caption(examples, row, value):
    """Returns the lines below an example: its id, its class and its score.

    Args:
        examples: `Examples`.
        row: row of the example.
        value: score of the example.
    """
    return [id_text(examples, row), class_text(examples, row), f"{value:.3g}"]


def id_text(examples, row):
    """Returns the id of an example in one line, with `?` for characters that the font lacks.

    A long path is the name of its file. If no letter or digit is left, it is the row of the
    example.
    """
    text = _plain(str(examples.ids[row]))
    if len(text) > _LONG:
        text = text.rpartition("/")[2] or text
    shown = "".join(character if drawable(character) else _LACKING for character in text)
    return shown if any(map(str.isalnum, shown)) else f"row {row}"


def class_text(examples, row):
    """Returns the name of an example's class, or its number if the font lacks a character."""
    label = examples.labels[row]
    name = _plain(examples.class_names[label])
    return name if name and all(map(drawable, name)) else f"class {label}"


def _plain(text):
    """Returns text in one line and without accents, none of which the font has."""
    parts = unicodedata.normalize("NFKD", defused(text))
    return "".join(part for part in parts if not unicodedata.combining(part))
