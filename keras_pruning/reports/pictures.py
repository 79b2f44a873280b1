"""Draws grids of examples, and correlations as colours."""

import functools

import numpy as np

# Sides of a tile and gaps between tiles, in pixels.
SIDE = 112
GAP = 10
# TensorBoard shrinks pictures to about half, and the text has to stay readable.
TEXT_SIZE = 20
LINE = 24
# Letters at either end of a shortened line, at most.
MOST_LETTERS = 40
INK, PAPER = (32, 33, 36), (255, 255, 255)
# Correlations of -1, 0 and 1.
BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


def are_images(shape):
    """Returns whether examples of this shape are pictures: `(height, width, 1 or 3)`."""
    return len(shape) == 3 and shape[-1] in (1, 3)


@functools.lru_cache(maxsize=4096)
def drawable(character):
    """Returns whether the font of the pictures has a character."""
    if character.isascii():
        return character.isprintable()
    font = _font()
    # A character that the font lacks is drawn as one without a meaning.
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def grid(inputs, captions, columns=5):
    """Draws examples side by side, with lines of text below each.

    Args:
        inputs: uint8 or floats `(examples, height, width, 1 or 3)`. Floats outside [0, 1] are
            stretched so that the darkest of all is black and the brightest white.
        captions: list of the lines below each example, all of one length.
        columns: number of examples side by side.

    Returns:
        uint8 `(grid height, grid width, 3)`.
    """
    from PIL import Image, ImageDraw

    # Lay out the grid
    tiles = [_resized(pixels) for pixels in as_pixels(inputs)]
    width, height = tiles[0].size
    step_x = max(width, SIDE) + GAP
    step_y = height + LINE * len(captions[0]) + GAP
    rows = -(-len(tiles) // columns)
    size = (columns * step_x + GAP, rows * step_y + GAP)
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    # Draw each example and its lines
    for position, (tile, lines) in enumerate(zip(tiles, captions, strict=True)):
        row, column = divmod(position, columns)
        x, y = GAP + column * step_x, GAP + row * step_y
        picture.paste(tile, (x + (step_x - GAP - width) // 2, y))
        for number, line in enumerate(lines):
            _centred(draw, line, x + (step_x - GAP) / 2, y + height + LINE * (number + 0.5), step_x)
    return np.asarray(picture)


def correlation_map(correlations, names):
    """Draws a square of coloured cells with numbers, blue for -1 and red for 1.

    Args:
        correlations: floats `(n, n)` in [-1, 1]. NaN is left white and without a number.
        names: n strings.

    Returns:
        uint8 `(height, width, 3)`.
    """
    from PIL import Image, ImageDraw

    # Leave room for the names on the left and on top
    left = int(max(_font().getlength(name) for name in names)) + 2 * GAP
    side = 72
    size = (left + side * len(names) + GAP, left + side * len(names) + GAP)
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    for row, name in enumerate(names):
        middle = left + side * (row + 0.5)
        draw.text((left - GAP, middle), name, INK, _font(), anchor="rm")
        _upright(picture, name, middle, left - GAP)
        for column, value in enumerate(correlations[row]):
            x, y = left + side * column, left + side * row
            draw.rectangle((x, y, x + side - 2, y + side - 2), _colour(value))
            if np.isfinite(value):
                # White on dark cells
                ink = PAPER if abs(value) > 0.6 else INK
                place = (x + side / 2, y + side / 2)
                draw.text(place, f"{value:z.2f}", ink, _font(), anchor="mm")
    return np.asarray(picture)


def as_pixels(inputs, bounds=None):
    """Returns inputs as uint8 `(examples, height, width, 3)`.

    Args:
        inputs: uint8 or floats `(examples, height, width, 1 or 3)`.
        bounds: the darkest and the brightest value of floats. Defaults to those of the inputs. If
            they lie in [0, 1], 0 is black and 1 is white.
    """
    if inputs.dtype != np.uint8:
        # One scale for all, so that examples stay comparable
        lowest, highest = bounds or (float(inputs.min()), float(inputs.max()))
        if lowest >= 0 and highest <= 1:
            lowest, highest = 0.0, 1.0
        inputs = (inputs - lowest) / (highest - lowest or 1.0) * 255
        inputs = np.round(inputs).astype(np.uint8)
    return np.broadcast_to(inputs, (*inputs.shape[:3], 3))


def _resized(pixels):
    """Returns a small example enlarged by a whole factor, or a large one made to fit."""
    from PIL import Image

    tile = Image.fromarray(np.ascontiguousarray(pixels))
    factor = SIDE // max(tile.size)
    if factor:
        size = (tile.width * factor, tile.height * factor)
        return tile.resize(size, Image.Resampling.NEAREST)
    tile.thumbnail((SIDE, SIDE))
    return tile


def _centred(draw, line, x, y, width):
    """Writes a line around (x, y), shortened in its middle to `width` pixels."""
    font = _font()
    # Ids and names of files differ at their ends, names of classes at their beginnings.
    half = min(len(line) // 2, MOST_LETTERS)
    while half and font.getlength(line) > width:
        line = f"{line[:half]}…{line[-half:]}"
        half -= 1
    draw.text((x, y), line, INK, font, anchor="mm")


def _upright(picture, text, x, bottom):
    """Writes text that reads upwards and ends above (x, bottom)."""
    from PIL import Image, ImageDraw

    label = Image.new("RGB", (int(_font().getlength(text)) + 2, LINE), PAPER)
    ImageDraw.Draw(label).text((0, LINE / 2), text, INK, _font(), anchor="lm")
    label = label.rotate(90, expand=True)
    picture.paste(label, (int(x - label.width / 2), bottom - label.height))


def _colour(value):
    """Returns the colour of a correlation, between white and blue or red."""
    if not np.isfinite(value):
        return PAPER
    end = np.array(RED if value > 0 else BLUE)
    start = np.array(WHITE)
    return tuple(int(part) for part in np.round(start + abs(value) * (end - start)))


@functools.cache
def _font():
    """Returns the font of all texts, which comes with Pillow."""
    from PIL import ImageFont

    return ImageFont.load_default(TEXT_SIZE)
