"""Listing a folder of a million images and reading their headers, before any is decoded.

python benchmarks/image_folder.py [FILES] [CLASSES]
"""

import os
import tempfile
from pathlib import Path

import numpy as np
from peak import peaks
from PIL import Image
from rows import Row, main
from timing import seconds

SIZE = 64
# A file system allows about as many names of one file
NAMES = 50_000


def measure(num_files=1_000_000, num_classes=1000):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        store(folder, num_files, num_classes)
        ours = []
        peak, _ = peaks(lambda: ours.append(seconds(lambda: read(folder / "train"))))
        reference = seconds(lambda: opened(folder / "train"))
    yield Row.of_one_pair(
        f"listing {num_files:,} images that the system has in memory and reading their headers",
        "opening each with Pillow, in one thread",
        ours[0],
        reference,
        peak=peak,
    )


def store(folder, num_files, num_classes):
    """Makes a folder of images, which are names of a few files."""
    rng = np.random.default_rng(0)
    names = [folder / "train" / f"class-{number:04}" for number in range(num_classes)]
    for name in names:
        name.mkdir(parents=True)
    for number in range(num_files):
        if number % NAMES == 0:
            source = folder / f"{number}.jpg"
            Image.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), "uint8")).save(source)
        os.link(source, names[number % num_classes] / f"{number:07}.jpg")


def read(folder):
    """Does what `load_examples("folder:...")` does before it decodes the first image."""
    from keras_pruning.examples.sources import listed_images
    from keras_pruning.examples.sources.folder_layout import layout_of
    from keras_pruning.examples.sources.folder_scan import FolderScan
    from keras_pruning.examples.sources.listed_files import BrokenFiles

    scan = FolderScan(layout_of(folder), listed_images.ENDINGS)
    broken = BrokenFiles("images", skip=False)
    next(listed_images._with_channels(scan.files["train"], [], None, broken))


def opened(folder):
    """Lists a folder and opens its images, which reads their headers."""
    for entry in os.scandir(folder):
        for image in os.scandir(entry):
            with Image.open(image.path) as file:
                assert file.size == (SIZE, SIZE) and file.mode == "RGB"


if __name__ == "__main__":
    main(measure)
