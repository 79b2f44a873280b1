"""Images, labels and IDX files of them."""

import struct

import numpy as np

RNG = np.random.default_rng(0)
IMAGES = {"train": RNG.integers(0, 256, (30, 5, 4), "uint8")}
IMAGES["test"] = RNG.integers(0, 256, (12, 5, 4), "uint8")
LABELS = {split: np.arange(len(images), dtype="uint8") % 3 for split, images in IMAGES.items()}


def idx(array, dtype=8):
    """An IDX file, by the description on the MNIST page."""
    header = struct.pack(f">BBBB{array.ndim}i", 0, 0, dtype, array.ndim, *array.shape)
    return header + array.tobytes()
