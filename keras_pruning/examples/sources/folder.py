"""`folder:DIR`: images or text files in a folder for each class, perhaps in two splits."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.sources import listed_images, listed_texts
from keras_pruning.examples.sources.folder_layout import layout_of
from keras_pruning.examples.sources.folder_scan import FolderScan


def load(location, split, image_size=None, skip_broken=False):
    """Loads uint8 pixels `(examples, height, width, channels)`, or strings `(examples,)`.

    An id is a path below the folder, such as `train/cat/001.png`. The classes are the folders of
    the training part, in alphabetical order. Folders below a class belong to it. If there is no
    image, the text files are the examples. There is one channel if all images of both parts are
    grayscale, otherwise there are three. 16-bit images are reduced to their upper 8 bits.
    Transparent pixels are composited onto white. Images are turned as their EXIF data say. Names
    that begin with a dot and `__MACOSX` are ignored. A warning counts the files that are left out.

    Args:
        location: folder that contains `train`, and perhaps `test`, `validation` or `val`, or a
            folder for each class.
        split: `"train"`, `"test"`, or `None` for all examples of a folder without a test part.
        image_size: height and width in pixels that images are resized to, or `None`.
        skip_broken: whether files that cannot be read are left out with a warning.

    Raises:
        InputError: if a folder is missing or has no example, if the test part has a class that the
            training part lacks, if files cannot be read, or if images differ in size and
            `image_size` is `None`.
    """
    layout = layout_of(location)
    _require_part(layout, split)
    part = split or "train"
    kind, scan = _scan(layout)
    scan.warn_of_left_out(part)
    files = scan.files[part]
    if kind is listed_texts:
        if image_size is not None:
            raise InputError(
                f"Invalid `image_size`. Expected none, because {location} contains texts. "
                f"Received: image_size={image_size}"
            )
        inputs, labels, ids = listed_texts.load(files, skip_broken)
    else:
        key = {
            "source": "folder",
            "location": str(layout.folder.resolve()),
            "split": part,
            "classes": scan.class_names,
            "files": scan.digest,
        }
        others = [file for name, listed in scan.files.items() if name != part for file in listed]
        inputs, labels, ids = listed_images.load(key, files, others, image_size, skip_broken)
    names = scan.class_names
    counts = np.bincount(labels, minlength=len(names))
    if part == "train" and not counts.all():
        empty = [name for name, count in zip(names, counts, strict=True) if count == 0]
        raise InputError(
            f"Classes without files that can be read in {location}. Expected one or more in each. "
            f"Received: none in {', '.join(empty[:10])}. Remove these folders."
        )
    examples = Examples(inputs, labels, ids, len(names), "folder", part, names)
    examples.folder = layout.folder
    return examples


def _require_part(layout, split):
    """Raises an `InputError` if a folder lacks a split, or if all is asked of one that has two."""
    if split == "test" and "test" not in layout.parts:
        raise InputError(
            f"No test examples in {layout.folder}. Expected a folder `test`, `validation` or `val` "
            "beside `train`. Received: none. Set `test_fraction` to the fraction of the training "
            "examples to test with."
        )
    if split is None and "test" in layout.parts:
        raise InputError(
            f"Invalid `test_fraction`. Expected none, because {layout.folder} has the test "
            f"examples in {layout.parts['test']!r}. Name the folder "
            f"{layout.folder / layout.parts['train']} to draw others from it."
        )


def _scan(layout):
    """Returns the module that reads the files of a folder, and the `FolderScan` of its files."""
    kind, scan = listed_images, FolderScan(layout, listed_images.ENDINGS)
    # Texts only if there is no image at all, so that notes beside images are no examples.
    if not any(scan.files.values()):
        texts = FolderScan(layout, listed_texts.ENDINGS)
        kind, scan = (listed_texts, texts) if any(texts.files.values()) else (kind, scan)
    scan.require_filled()
    return kind, scan
