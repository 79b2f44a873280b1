"""Sprites: every tile is at its place, and no page gets too large."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import keras_pruning as kp
from keras_pruning.reports.html import sprites
from keras_pruning.reports.html.sprites import COLUMNS, read_tiles, sprite


def decoded(made):
    content = base64.b64decode(made.uri.removeprefix("data:image/webp;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def examples(x):
    return kp.Examples.from_arrays(x, np.zeros(len(x), int))


@pytest.mark.parametrize("channels", [1, 3])
def test_small_examples_are_stored_exactly_and_enlarged_whole(channels):
    x = np.random.default_rng(0).integers(0, 256, (70, 8, 5, channels), "uint8")
    rows = np.arange(69, -1, -1)
    made = sprite(read_tiles(examples(x), rows), 10**6)
    # 112 pixels have room for the factor 14.
    assert (made.width, made.height, made.factor) == (70, 112, 14)
    assert made.size == (COLUMNS * 70, 3 * 112)
    pixels = decoded(made)
    assert pixels.shape == (3 * 8, COLUMNS * 5, 3)
    for tile, row in enumerate(rows):
        left, top = (edge // 14 for edge in made.place(tile))
        expected = np.broadcast_to(x[row], (8, 5, 3))
        np.testing.assert_array_equal(pixels[top : top + 8, left : left + 5], expected)


def test_large_examples_are_shrunk_to_a_tile():
    x = np.zeros((3, 300, 150, 3), "uint8")
    x[1] = 200
    made = sprite(read_tiles(examples(x), np.arange(3)), 10**6)
    assert (made.width, made.height, made.factor, made.size) == (56, 112, 1, (168, 112))
    left, top = made.place(1)
    assert abs(int(decoded(made)[top + 50, left + 20, 0]) - 200) < 6


def test_one_scale_for_all_floats_although_read_in_blocks(monkeypatch):
    x = np.linspace(-2, 6, 9, dtype="float32")[:, None, None, None] * np.ones((1, 4, 4, 1), "f4")
    monkeypatch.setattr(sprites, "_BLOCK", 8 * 4 * 4 * 2)
    made = sprite(read_tiles(examples(x), np.arange(9)), 10**6)
    levels = decoded(made)[0, ::4, 0]
    np.testing.assert_array_equal(levels, np.round(np.linspace(0, 255, 9)))


def test_quality_falls_until_the_bytes_suffice():
    x = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), "uint8")
    tiles = read_tiles(examples(x), np.arange(20))
    best = len(sprite(tiles, 10**9).content)
    worse = sprite(tiles, best // 3)
    assert len(worse.content) <= best // 3
    assert sprite(tiles, 100) is None
