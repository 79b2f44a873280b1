"""Pixels of image files, as every viewer shows them."""

import numpy as np
from PIL import ExifTags, Image

from keras_pruning.errors import InputError

# Turns of an image that its EXIF data ask for, by the number there. 1 asks for none.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# From here on, width and height of the turned image are exchanged.
_FIRST_ON_ITS_SIDE = 5


def size_and_is_gray(image):
    """Returns `(width, height)` of an open image and whether it is grayscale, without decoding it.

    Raises:
        InputError: if it is an animation.
    """
    width, height = image.size
    # Frames of a JPEG are previews and those of a PNG have a first one for all viewers.
    if image.format == "WEBP" and image.n_frames > 1:
        raise InputError(f"an animation of {image.n_frames} frames")
    # Pillow would decode a PNG to look for EXIF data behind its pixels.
    has_exif = image.format != "PNG" or "exif" in image.info
    if has_exif and _turn(image) >= _FIRST_ON_ITS_SIDE:
        width, height = height, width
    return (width, height), image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def pixels_of(image, channels):
    """Returns an open image as uint8 `(height, width, channels)`, turned as its EXIF data say.

    Args:
        image: `PIL.Image.Image`.
        channels: 1 or 3.
    """
    image.load()
    turn = _turn(image)
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16 bits to 8 clips every value above 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    # Composite transparent pixels onto white.
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if channels == 1 else "RGB")
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], channels)


def _turn(image):
    """Returns the orientation in the EXIF data, 1 if they have none or are damaged."""
    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Damaged EXIF data raise errors of any kind. Viewers ignore them.
        return 1
    return turn if turn in _TURNS else 1
