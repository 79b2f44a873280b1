"""Puts many small pictures into one, so that a page with hundreds of them stays small."""

import base64
import io
import math
from dataclasses import dataclass

import numpy as np

from keras_pruning.reports.pictures import SIDE, as_pixels

# Tiles beside each other. With 112 pixels each, 4,000 tiles stay below the largest side of WebP.
COLUMNS = 32
# Settings of WebP, the best first. The next one is for sprites that take too many bytes.
_LOSSLESS = {"lossless": True, "quality": 80}
_LOSSY = [{"quality": quality} for quality in (85, 70, 50, 30)]
# Bytes of examples that are read at a time.
_BLOCK = 2**24


@dataclass(frozen=True)
class Sprite:
    """Tiles of one size in one WebP picture.

    A small example is stored as it is, and the page enlarges it by a whole factor. A large one is
    stored as it is shown.

    Args:
        content: bytes of the WebP picture.
        tiles: number of tiles.
        width: width of a tile on the page, in pixels.
        height: height of a tile on the page, in pixels.
        factor: whole number by which the page enlarges the picture.
    """

    content: bytes
    tiles: int
    width: int
    height: int
    factor: int = 1

    @property
    def uri(self):
        """The picture as a data URI."""
        return "data:image/webp;base64," + base64.b64encode(self.content).decode("ascii")

    @property
    def size(self):
        """Width and height of the whole picture on the page, in pixels."""
        return min(COLUMNS, self.tiles) * self.width, -(-self.tiles // COLUMNS) * self.height

    def place(self, tile):
        """Returns the left and the upper edge of a tile on the page, in pixels."""
        row, column = divmod(tile, COLUMNS)
        return column * self.width, row * self.height


def read_tiles(examples, rows):
    """Returns examples as small pictures, all of one size, no side longer than 112 pixels.

    Floats outside [0, 1] are stretched so that the darkest of all is black and the brightest white.

    Args:
        examples: `Examples` of pictures `(height, width, 1 or 3)`.
        rows: integers `(tiles,)`, at least one.

    Returns:
        List of `PIL.Image.Image`.
    """
    from PIL import Image

    step = max(1, _BLOCK // (8 * math.prod(examples.shape)))
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    # One scale for all blocks, so that examples stay comparable
    bounds, tiles = _bounds(examples, blocks), []
    for block in blocks:
        pixels = np.ascontiguousarray(as_pixels(examples.stored_inputs(block), bounds))
        tiles += [_shrunk(Image.fromarray(example)) for example in pixels]
    return tiles


def sprite(tiles, most_bytes):
    """Returns the `Sprite` of some tiles, or `None` if even the lowest quality takes more bytes.

    Args:
        tiles: list of `PIL.Image.Image` of one size.
        most_bytes: bytes above which the quality is lowered.
    """
    from PIL import Image

    # Paste the tiles row by row
    width, height = tiles[0].size
    picture = Image.new("RGB", Sprite(b"", len(tiles), width, height).size)
    for position, tile in enumerate(tiles):
        row, column = divmod(position, COLUMNS)
        picture.paste(tile, (column * width, row * height))
    # Enlarged tiles would show the noise of compression, so they are stored exactly if they fit.
    factor = SIDE // max(width, height)
    for setting in [_LOSSLESS, *_LOSSY] if factor > 1 else _LOSSY:
        content = io.BytesIO()
        picture.save(content, "WEBP", **setting)
        if content.tell() <= most_bytes:
            return Sprite(content.getvalue(), len(tiles), width * factor, height * factor, factor)
    return None


def _bounds(examples, blocks):
    """Returns the smallest and the largest value of some examples, `None` for bytes."""
    bounds = []
    for block in blocks:
        values = examples.stored_inputs(block)
        if values.dtype == np.uint8:
            return None
        bounds += [float(values.min()), float(values.max())]
    return min(bounds), max(bounds)


def _shrunk(tile):
    """Returns a picture that fits into a tile. A small one stays as it is."""
    tile.thumbnail((SIDE, SIDE))
    return tile
