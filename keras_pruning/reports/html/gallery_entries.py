"""The entries of a gallery: a picture or a short text, the id, the label and the score."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import numpy as np

from keras_pruning.reports.html.short_texts import cut, short_texts
from keras_pruning.reports.html.sprites import Sprite, read_tiles, sprite
from keras_pruning.reports.pictures import are_images

SUSPECTED = "Suspected mislabelled"


@dataclass(frozen=True)
class Group:
    """Examples of one class that stand together.

    Args:
        label: number of the class.
        kind: `"Hardest"`, `"Easiest"` or `SUSPECTED`.
        score: name of the score that ranks them.
        rows: integers `(entries,)`, in the order in which they are shown.
    """

    label: int
    kind: str
    score: str
    rows: np.ndarray


@dataclass(frozen=True)
class Inputs:
    """The inputs of the examples of a gallery.

    Args:
        sprite: `Sprite` of their pictures, or `None`.
        places: dictionary from rows to numbers of tiles.
        texts: dictionary from rows to short texts, for examples that are no pictures.
        fit: whether the pictures take no more bytes than there is room for.
        tiles: dictionary from rows to pictures, from which a smaller gallery is made.
    """

    sprite: Sprite | None = None
    places: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    fit: bool = True
    tiles: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Scored:
    """Scored examples, with everything that a page shows of them.

    Args:
        table: `ScoreTable`.
        examples: `Examples` of the table, or `None`.
        suspects: `SuspectList` of these examples, or `None`.
        beside: folder of the page, from which links lead to files, or `None` for no links.
    """

    table: object
    examples: object = None
    suspects: object = None
    beside: Path | None = None

    @cached_property
    def class_names(self):
        """Names of the classes. Without examples to know them from, their numbers."""
        if self.examples is not None:
            return list(map(cut, self.examples.class_names))
        return [str(number) for number in range(int(self.table.labels.max()) + 1)]

    def link(self, row):
        """Returns the address of the file of an example, relative to the page, or `None`."""
        folder = getattr(self.examples, "folder", None)
        if folder is None or self.beside is None:
            return None
        # Ids of a folder source are paths below it
        file = Path(folder, str(self.table.ids[row])).absolute()
        try:
            path = os.path.relpath(file, Path(self.beside).absolute())
        except ValueError:  # Another drive
            return file.as_uri()
        # A first part with a colon would be read as the scheme of the address.
        return quote(f"./{path}".replace(os.sep, "/"))

    def inputs(self, rows, most_bytes, larger=None):
        """Returns the `Inputs` of some examples, as pictures if they are some, else as texts.

        Args:
            rows: integers `(entries,)`, ascending.
            most_bytes: bytes of all pictures.
            larger: `Inputs` of these rows and of others, or `None`.
        """
        if self.examples is None:
            return Inputs()
        numbers = rows.tolist()
        if not are_images(self.examples.shape):
            texts = short_texts(self.examples.stored_inputs(rows), len(rows))
            return Inputs(texts=dict(zip(numbers, texts, strict=True)))
        # A smaller gallery has some of the pictures of a larger one
        if larger is None:
            tiles = dict(zip(numbers, read_tiles(self.examples, rows), strict=True))
        else:
            tiles = larger.tiles
        picture = sprite([tiles[row] for row in numbers], most_bytes)
        places = {row: tile for tile, row in enumerate(numbers)}
        return Inputs(picture, places, fit=picture is not None, tiles=tiles)

    def entry(self, group, row, ranks, inputs):
        """Returns one entry of a group, a dictionary for the template.

        Args:
            group: `Group`.
            row: row of the example.
            ranks: dictionary from names of scores to ranks `(examples,)`.
            inputs: `Inputs`.
        """
        is_suspect = group.kind == SUSPECTED
        # Suspects may be ranked by a score that is not in this table
        scores = self.suspects.values if is_suspect else self.table[group.score]
        return {
            "id": cut(str(self.table.ids[row])),
            "link": self.link(row),
            "place": inputs.sprite.place(inputs.places[row]) if inputs.sprite else None,
            "text": inputs.texts.get(row),
            "label": self.class_names[self.table.labels[row]],
            "score": f"{group.score} {scores[row]:.4g}",
            "is_estimated": bool(self.table.extrapolated[row]),
            "doubt": self._doubt(row) if is_suspect else None,
            "ranks": " ".join(str(rank[row]) for rank in ranks.values()),
        }

    def _doubt(self, row):
        """Returns the class that a suspect may belong to, and the share of the probes for it."""
        suspects = self.suspects
        if suspects.predicted is None:
            return None
        share = None if suspects.share is None else f"{100 * suspects.share[row]:.0f}\u00a0%"
        return {"label": self.class_names[suspects.predicted[row]], "share": share}
