"""`tfds:NAME`: a data set of TensorFlow Datasets (TFDS) with images and class labels."""

import itertools
import os

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.sources import decoded_images, tfds_records


def load(location, split, data_dir=None, image_size=None, train_split="train", test_split=None):
    """Loads uint8 pixels `(examples, height, width, channels)`.

    An id is the one of TFDS, `FILE__INDEX`, or the exported one if `export` has written the data
    set. Examples are in the order of the files. The image and the label are the data set's
    `supervised_keys`, otherwise the first feature of each kind by name. If there is no split
    `test`, or if it has no labels, the split `validation` replaces it.
    Images of a data set that is prepared on this machine are decoded once and cached.

    Args:
        location: a name for `tfds.builder`, such as `cifar10`, `imagenette/160px` or `mine:1.0.0`.
        split: `"train"`, `"test"`, or `None` for all examples of `train_split`.
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.
        image_size: height and width in pixels that images are resized to. Required if images differ
            in size.
        train_split: split of TFDS to train on, such as `"train[:80%]"` or `"train+extra"`.
        test_split: split of TFDS to test with. Defaults to `test`, or to `validation` if there is
            no `test` or if it has no labels.

    Raises:
        InputError: if the data set is unknown, if it is not prepared and cannot be downloaded, if
            it cannot be read, or if it has no such split, no uint8 image or no class label.
    """
    if split is None and test_split is not None:
        raise InputError(
            "Invalid `test_fraction`. Expected none beside `test_split`. Received: "
            f"test_split={test_split}"
        )
    # Find the data set, its features and the split.
    builder = tfds_records.prepared(location, data_dir)
    features = image, label = _feature_names(builder, image_size)
    if identity := tfds_records.id_feature(builder):
        features = (image, label, identity)
    name, instead = _split_names(builder, split, train_split, test_split)
    if split == "test":
        _require_apart(builder, train_split, name)
    try:
        inputs, labels, ids = _decoded(builder, name, features, image_size)
    except tfds_records.NoLabelsError as error:
        if instead is None:
            raise _unlabelled(builder, name) from error
        _require_apart(builder, train_split, instead)
        try:
            inputs, labels, ids = _decoded(builder, instead, features, image_size)
        except tfds_records.NoLabelsError:
            raise _unlabelled(builder, f"{name} and {instead}") from error
    classes = builder.info.features[label]
    source = f"tfds:{builder.info.full_name}"
    return Examples(
        inputs, labels, ids, classes.num_classes, source, split or "train", classes.names
    )


def _decoded(builder, split, features, image_size):
    """Returns the `Decoded` of a split. They are decoded unless an earlier process has."""
    info = _info(builder, split)
    return decoded_images.load(
        _key(builder, split, features, image_size),
        None if info is None else info.num_examples,
        tfds_records.read(builder, split, *features),
        lambda example: (decoded_images.resized(example[0], image_size), *example[1:]),
    )


def _unlabelled(builder, split):
    return InputError(
        f"No labels in {split} of the TFDS data set {builder.info.full_name}. Expected a class "
        f"number for each example. Received: -1, by which TFDS marks missing labels. The splits "
        f"are {', '.join(builder.info.splits)}. Set `dataset.test_split` to another one, or "
        "`dataset.test_fraction` to draw a part of the training split."
    )


def _feature_names(builder, image_size):
    """Returns the names of the image and of the label among the features of a data set."""
    from tensorflow_datasets import features as kinds

    info = builder.info
    features = info.features if isinstance(info.features, kinds.FeaturesDict) else {}
    # Sorted, because features that are read from a file change their order between processes.
    features = dict(sorted(features.items()))
    images = [name for name, kind in features.items() if isinstance(kind, kinds.Image)]
    images = [name for name in images if not isinstance(features[name], kinds.LabeledImage)]
    labels = [name for name, kind in features.items() if isinstance(kind, kinds.ClassLabel)]
    if not images or not labels:
        raise InputError(
            f"Cannot use the TFDS data set {info.full_name}. Expected an Image and a ClassLabel "
            f"among its features. Received: {', '.join(features) or 'none'}"
        )
    # Prefer the pair that the data set declares itself.
    keys = tuple(info.supervised_keys or ())
    supervised = len(keys) == 2 and keys[0] in images and keys[1] in labels
    image, label = keys if supervised else (images[0], labels[0])
    _require_pixels(info.full_name, features[image], image_size)
    return image, label


def _require_pixels(name, image, image_size):
    if image.np_dtype != np.uint8 or len(image.shape) != 3:
        raise InputError(
            f"Cannot use the images of {name}. Expected uint8 of shape (height, width, channels). "
            f"Received: {np.dtype(image.np_dtype)} of shape {image.shape}"
        )
    if image_size is None and None in image.shape:
        raise InputError(
            f"The images of {name} differ in size. Expected the same height and width for all. "
            f"Received: shape {image.shape}. Set `dataset.image_size` to resize them."
        )


def _split_names(builder, split, train_split, test_split):
    """Returns the split of TFDS to read, and the one to read if it has no labels, or `None`."""
    names = list(builder.info.splits)
    if split != "test" or test_split is not None:
        name, instead = test_split if split == "test" else train_split, None
    else:
        # `validation` replaces a test split that is missing or has no labels.
        choices = [name for name in ("test", "validation") if name in names]
        name, instead = (*choices, None, None)[:2]
        name = name or "test"
    # Without files TFDS knows no splits. It raises its own error if this one does not exist.
    if names and _info(builder, name) is None:
        option = "test_split" if split == "test" else "train_split"
        raise InputError(
            f"No split {name!r} in the TFDS data set {builder.info.full_name}. Expected one of its "
            f"splits: {', '.join(names)}, or a part such as {names[0]}[:80%]. Received: {name!r}. "
            f"Set `dataset.{option}`{' or `dataset.test_fraction`' if split == 'test' else ''}."
        )
    return name, instead


def _require_apart(builder, train_split, test_split):
    """Raises an `InputError` if two splits of TFDS have examples in common."""
    read = {}
    for name in (train_split, test_split):
        info = _info(builder, name)
        if info is None:
            return
        for file in info.file_instructions:
            read.setdefault(str(file.filename), []).append(tfds_records.positions(file))
    for ranges in read.values():
        ranges.sort(key=lambda positions: positions.start)
        if any(second.start < first.stop for first, second in itertools.pairwise(ranges)):
            raise InputError(
                f"Training and test examples of the TFDS data set {builder.info.full_name} "
                "overlap. Expected splits without a common example, such as train[:80%] and "
                f"train[80%:]. Received: {train_split} to train on and {test_split} to test with. "
                "Set `dataset.train_split` and `dataset.test_split`."
            )


def _info(builder, split):
    """Returns the information of TFDS about a split or a part of one, `None` if there is none."""
    try:
        info = builder.info.splits[split]
    except (KeyError, ValueError, AssertionError):
        return None
    return info if info.num_examples else None


def _key(builder, split, features, image_size):
    """Returns the cache key of the decoded images, `None` if a file of the split is missing."""
    info = _info(builder, split)
    if info is None:
        return None
    import tensorflow as tf

    # The state of each file stands for its content. No program sets the time of a change (ctime).
    try:
        stats = [os.stat(path) for path in info.filepaths]
    except (OSError, ValueError):
        return None
    return {
        "source": "tfds",
        "name": builder.info.full_name,
        "location": str(builder.data_path),
        "split": split,
        "features": features,
        "format": str(builder.info.file_format),
        "shard_lengths": list(info.shard_lengths),
        "files": [
            [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for stat in stats
        ],
        "decoder": {**decoded_images.decoder(), "tensorflow": tf.__version__},
        "image_size": image_size,
    }
