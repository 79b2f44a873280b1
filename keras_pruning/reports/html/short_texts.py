"""Describes examples that are no pictures in a line: a text, or the values of a table's row."""

import numpy as np

from keras_pruning.examples.array_spec import flattened, mapped

# Characters of a text, values of an array, and arrays of a structure that a line has at most.
_CHARACTERS, _VALUES, _PARTS = 160, 8, 8
# Characters of an id or the name of a class.
_NAME = 80


def short_texts(inputs, count):
    """Returns a line of text for each example.

    Args:
        inputs: array `(examples, ...)`, or a dictionary, tuple or list of arrays.
        count: number of examples.
    """
    return [_line(mapped(lambda leaf, at=at: leaf[at], inputs)) for at in range(count)]


def cut(text, most=_NAME):
    """Returns a text of at most `most` characters. A longer one ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _line(entry):
    """Returns the text of one example, an array, a string, a number or a structure of them."""
    parts = flattened(entry, "x")
    # A single array needs no name. The others are `x/name`.
    texts = [
        _leaf(part) if path == "x" else f"{path.partition('/')[2]}: {_leaf(part)}"
        for path, part in list(parts.items())[:_PARTS]
    ]
    return cut("; ".join(texts + ["…"] * (len(parts) > _PARTS)), _CHARACTERS)


def _leaf(value):
    if isinstance(value, str):
        return " ".join(value.split())
    # Numbers, or several texts
    values = np.asarray(value)
    texts = [entry if isinstance(entry, str) else f"{entry:.4g}" for entry in values.flat[:_VALUES]]
    more = f", … {values.shape}" if values.size > _VALUES else ""
    return " ".join(f"{', '.join(texts)}{more}".split())
