"""Folders of random images."""

import numpy as np
from PIL import Image

from keras_pruning import load_examples

CLASSES = ("bird", "cat", "dog")


def save(path, pixels, **options):
    """Saves pixels as an image, in the format of the ending unless the options name another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def write_images(folder):
    """Writes random images of three classes and returns a dictionary from their ids to pixels."""
    rng = np.random.default_rng(0)
    images = {}
    for split, count in (("train", 4), ("test", 2)):
        for name in CLASSES:
            for number in range(count):
                pixels = rng.integers(0, 256, (6, 5, 3), "uint8")
                images[f"{split}/{name}/{number:03d}.png"] = pixels
                save(folder / split / name / f"{number:03d}.png", pixels)
    return images


def load(folder, split="train", **options):
    """Loads the examples of a folder of images."""
    return load_examples(f"folder:{folder}", split, **options)


def stored(examples):
    """Returns all stored inputs."""
    return examples.stored_inputs(np.arange(len(examples)))
