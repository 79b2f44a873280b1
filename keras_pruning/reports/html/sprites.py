"""Puts many small pictures into one, so that a page with hundreds of them stays small."""

import base64
import io
from dataclasses import dataclass

import numpy as np

from keras_pruning.reports.pictures import SIDE, as_pixels

# Tiles beside each other. With 112 pixels each, 4,000 tiles stay below the largest WebP side.
COLUMNS = 32
# Settings of WebP, the best first. The next one is for sprites that take too many bytes.
_LOSSLESS = {"lossless": True, "quality": 80}
_LOSSY = [{"quality": quality} for quality in (85, 70, 50, 30)]


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
    factor: int

    @property
    def uri(self):
        """The picture as a data URI."""
        return "data:image/webp;base64," + base64.b64encode(self.content).decode("ascii")

    @property
    def size(self):
        """Width and height of the whole picture on the page, in pixels."""
        columns = min(COLUMNS, self.tiles)
        return columns * self.width, -(-self.tiles // COLUMNS) * self.height

    def place(self, tile):
        """Returns the left and the upper edge of a tile on the page, in pixels."""
        row, column = divmod(tile, COLUMNS)
        return column * self.width, row * self.height


def sprite(inputs, most_bytes):
    """Draws examples side by side into one picture.

    Args:
        inputs: uint8 or floats `(examples, height, width, 1 or 3)`. Floats outside [0, 1] are
            stretched so that the darkest of all is black and the brightest white.
        most_bytes: bytes above which the quality of the picture is lowered.

    Returns:
        `Sprite`, or `None` if even the lowest quality takes more bytes.
    """
    from PIL import Image

    factor = max(1, SIDE // max(inputs.shape[1:3]))
    tiles = [_shrunk(Image.fromarray(pixels)) for pixels in np.ascontiguousarray(as_pixels(inputs))]
    # Paste the tiles row by row
    width, height = tiles[0].size
    size = min(COLUMNS, len(tiles)) * width, -(-len(tiles) // COLUMNS) * height
    picture = Image.new("RGB", size)
    for position, tile in enumerate(tiles):
        row, column = divmod(position, COLUMNS)
        picture.paste(tile, (column * width, row * height))
    # A blurred edge would show on enlarged tiles, so these are stored exactly if they fit
    is_small = max(inputs.shape[1:3]) <= SIDE
    for setting in [_LOSSLESS, *_LOSSY] if is_small else _LOSSY:
        content = _as_webp(picture, setting)
        if len(content) <= most_bytes:
            return Sprite(content, len(tiles), width * factor, height * factor, factor)
    return None


def _shrunk(tile):
    """Returns a picture that fits into a tile. A small one stays as it is."""
    if max(tile.size) > SIDE:
        tile.thumbnail((SIDE, SIDE))
    return tile


def _as_webp(picture, setting):
    content = io.BytesIO()
    picture.save(content, "WEBP", **setting)
    return content.getvalue()
