"""Score tables by hand, and what is on a page."""

from html.parser import HTMLParser

import numpy as np

import keras_pruning as kp

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


class Elements(HTMLParser):
    """The elements of a page: a list of names and attributes, and the text outside of scripts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self._inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.words.append(data)

    def handle_endtag(self, tag):
        self._inside = ""

    def named(self, tag):
        """The attributes of each element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())
