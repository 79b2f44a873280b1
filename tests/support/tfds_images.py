"""Real images as TFDS prepares them, from Fashion-MNIST of Debian's package, else the digits."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from keras_pruning import load_examples

FASHION = Path("/usr/share/datasets/fashion-mnist")
COUNTS = {"train": 300, "test": 80}


def source_arrays(split):
    """A few hundred real images, uint8, and their labels, as another source has them."""
    if FASHION.is_dir():
        examples = load_examples(f"idx:{FASHION}", split)
    else:
        examples = load_examples("digits", split)
    rows = np.arange(COUNTS[split])
    pixels = examples.stored_inputs(rows)
    if pixels.dtype != np.uint8:
        pixels = np.round(pixels * 255).astype("uint8")
    return pixels, examples.labels[rows]


def store(folder, name, features, splits, shards=1, **options):
    config = tfds.download.DownloadConfig(num_shards=shards)
    tfds.dataset_builders.store_as_tfds_dataset(
        name,
        "1.2.3",
        tfds.features.FeaturesDict(features),
        {split: list(enumerate(examples)) for split, examples in splits.items()},
        data_dir=folder,
        download_config=config,
        **options,
    )


def store_images(folder, name, splits=COUNTS, shards=1, **options):
    """The real images with their positions."""
    examples = {}
    for split, origin in zip(splits, ("train", "test"), strict=False):
        pixels, labels = source_arrays(origin)
        examples[split] = [
            {"image": image, "label": label, "position": position}
            for position, (image, label) in enumerate(zip(pixels, labels, strict=True))
        ]
    features = {
        "image": tfds.features.Image(shape=pixels.shape[1:]),
        "label": tfds.features.ClassLabel(names=[f"class {label}" for label in range(10)]),
        "position": np.int64,
    }
    store(folder, name, features, examples, shards, **options)
