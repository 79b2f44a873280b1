"""Labelled examples with ids, labels, inputs and batches, and the sources they are loaded from."""

from keras_pruning.arguments import require_label_noise, require_path, require_positive_integer
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.examples import Examples as Examples
from keras_pruning.examples.sources import SOURCES, usages

SPLITS = ("train", "test")


def load_examples(
    name, split="train", fraction=1.0, seed=0, data_dir=None, image_size=None, label_noise=0.0
):
    """Loads the labelled examples of one split.

    Args:
        name: a source of `keras_pruning.examples.sources.SOURCES`, for example `"digits"`,
            `"npz:FILE"` or `"tfds:NAME"`.
        split: `"train"` or `"test"`.
        fraction: float in (0, 1], the fraction of the examples to draw, stratified, before anything
            else. The drawn examples keep their ids.
        seed: integer >= 0, the seed of that draw and of the label noise.
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.
        image_size: height and width in pixels that images of `folder:` and `tfds:` are resized to.
            Defaults to their own size, which must be the same for all images.
        label_noise: float in [0, 1), the fraction of the drawn labels to replace by other classes,
            as in `Examples.with_label_noise`. The labels of the test split never change.

    Returns:
        `Examples`.

    Raises:
        InputError: if the source or the split does not exist or cannot be used, or if an argument
            is invalid.
    """
    # Check all arguments before the source is read.
    require_path("name", name, "the name of a source, such as 'digits' or 'npz:FILE'")
    kind, _, location = str(name).partition(":")
    source = SOURCES.get(kind)
    if source is None or (source.location is None) == bool(location):
        raise unknown("data set", name, usages())
    if split not in SPLITS:
        raise InputError(f"Invalid `split`. Expected one of {SPLITS}. Received: split={split!r}")
    image_size = require_positive_integer("image_size", image_size)
    if image_size is not None and not source.takes_image_size:
        resizing = " and ".join(f"{name}:" for name in SOURCES if SOURCES[name].takes_image_size)
        raise InputError(
            f"Invalid `image_size`. Expected none, except for {resizing}. "
            f"Received: image_size={image_size} for {name}"
        )
    require_label_noise(label_noise)
    examples = source.load(location, split, data_dir, image_size).draw(fraction, seed)
    return examples if split == "test" else examples.with_label_noise(label_noise, seed)
