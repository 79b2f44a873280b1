"""Score tables by hand, hostile names, and the text of pages about them."""

import numpy as np

import keras_pruning as kp
from support.html_pages import require_sound

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(2)</script>",
    "=1+1\n\x1b[2J",
    "\u202egnp.exe",
    "{{ 7 * 7 }}",
    "javascript:alert(3)",
]


def table(labels, scores, ids=None, higher=True, examples=None):
    """A table of scores, of which a higher one is harder unless `higher` is false."""
    ids = np.arange(len(labels)) if ids is None else ids
    metadata = {"scores": {name: {"higher_is_harder": higher} for name in scores}}
    if examples is not None:
        metadata["examples"] = examples.provenance
    return kp.ScoreTable(ids, labels, scores, metadata=metadata)


def read(html):
    """The page as `require_sound` reads it, with single spaces in its text."""
    page = require_sound(html)
    page.text = " ".join(page.text.split())
    return page
