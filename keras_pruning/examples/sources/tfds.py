"""`tfds:NAME`: a data set of TensorFlow Datasets (TFDS) with images and class labels."""

import contextlib
import io
import logging
import os
import sys

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.sources import decoded_images

_DOWNLOAD_RETRIES = 3


def load(location, split, data_dir=None, image_size=None):
    """Loads uint8 pixels `(examples, height, width, channels)`.

    An id is the one of TFDS, `FILE__INDEX`. Examples are in the order of the files. The image and
    the label are the data set's `supervised_keys`, otherwise the first feature of each kind by
    name. If there is no split `test`, or if it has no labels, the split `validation` replaces it.
    Images of a data set that is prepared on this machine are decoded once and cached.

    Args:
        location: a name for `tfds.builder`, such as `cifar10`, `imagenette/160px` or `mine:1.0.0`.
        split: `"train"` or `"test"`.
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.
        image_size: height and width in pixels that images are resized to. Required if images differ
            in size.

    Raises:
        InputError: if the data set is unknown, if it is not prepared and cannot be downloaded, if
            it cannot be read, or if it has no such split, no uint8 image or no class label.
    """
    # Find the data set, its features and the split.
    builder = _prepared(location, data_dir)
    image, label = _feature_names(builder, image_size)
    name = _split_name(builder, split)
    try:
        inputs, labels, ids = _decoded(builder, name, (image, label), image_size)
    except _NoLabelsError as error:
        # As for a data set without the split `test`.
        if split != "test" or "validation" not in builder.info.splits or name == "validation":
            raise _unlabelled(builder, name) from error
        try:
            inputs, labels, ids = _decoded(builder, "validation", (image, label), image_size)
        except _NoLabelsError:
            raise _unlabelled(builder, "test and validation") from error
    classes = builder.info.features[label]
    source = f"tfds:{builder.info.full_name}"
    return Examples(inputs, labels, ids, classes.num_classes, source, split, classes.names)


class _NoLabelsError(Exception):
    """The first example has the label -1, by which TFDS marks a split without labels."""


def _decoded(builder, split, features, image_size):
    """Returns the `Decoded` of a split. They are decoded unless an earlier process has."""
    return decoded_images.load(
        _key(builder, split, features, image_size),
        builder.info.splits[split].num_examples if split in builder.info.splits else None,
        _read(builder, split, *features),
        lambda example: (decoded_images.resized(example[0], image_size), *example[1:]),
    )


def _unlabelled(builder, split):
    return InputError(
        f"No labels in {split} of the TFDS data set {builder.info.full_name}. Expected a class "
        f"number for each example. Received: -1, by which TFDS marks missing labels. The splits "
        f"are {', '.join(builder.info.splits)}."
    )


def _prepared(name, data_dir):
    """Returns the TFDS builder of a data set, after a download if it is not prepared."""
    try:
        with _quiet(), _few_retries():
            import tensorflow_datasets as tfds

            builder = tfds.builder(name, data_dir=data_dir)
            builder.download_and_prepare()
            return builder
    except Exception as error:  # The code of a data set raises errors of any kind.
        folder = data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        raise InputError(
            f"Cannot load the TFDS data set {name!r}. Expected a data set that is prepared in "
            f"{folder} or can be downloaded now. Received: {_reason(error)}. Prepare it with "
            "`tfds build` on a machine with a network, or set `dataset.data_dir` to its folder."
        ) from error


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


def _split_name(builder, split):
    """Returns the name of `split` in the data set: `validation` replaces a missing `test`."""
    names = list(builder.info.splits)
    # Without files TFDS knows no splits. It raises its own error if this one does not exist.
    if split in names or not names:
        return split
    if split == "test" and "validation" in names:
        return "validation"
    raise InputError(
        f"No split {split!r} in the TFDS data set {builder.info.full_name}. Expected one of its "
        f"splits: {', '.join(names)}. Received: {split!r}"
    )


def _key(builder, split, features, image_size):
    """Returns the cache key of the decoded images, `None` if a file of the split is missing."""
    if split not in builder.info.splits:
        return None
    info = builder.info.splits[split]
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


def _read(builder, split, image, label):
    """Yields images, labels and ids in the order of the files.

    As a generator it reads nothing if the cache has the images.
    """
    try:
        with _quiet():
            dataset = _dataset(builder, split, {image: True, label: True})
        for number, example in enumerate(dataset.as_numpy_iterator()):
            if number == 0 and example[label] == -1:
                raise _NoLabelsError
            yield example[image], example[label], example["tfds_id"].decode()
    except _NoLabelsError:
        raise
    except Exception as error:  # TensorFlow and each file format raise errors of their own.
        raise InputError(
            f"Cannot read the split {split!r} of the TFDS data set {builder.info.full_name} in "
            f"{builder.data_dir}. Expected complete files. Received: {_reason(error)}"
        ) from error


def _dataset(builder, split, features):
    """Returns the chosen features of a split with `tfds_id`, a `tf.data.Dataset`."""
    import tensorflow_datasets as tfds

    # Features that nobody needs, such as masks, are not decoded.
    partial = tfds.decode.PartialDecoding(features)
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        return _array_records(builder, split, partial.extract_features(builder.info.features))
    # Read one file after the other. By default TFDS takes 16 examples of each file in turn.
    config = tfds.ReadConfig(
        add_tfds_id=True, interleave_cycle_length=1, try_autocache=False, skip_prefetch=True
    )
    return builder.as_dataset(
        split=split, decoders=partial, read_config=config, shuffle_files=False
    )


def _array_records(builder, split, features):
    """Returns the same dataset as `as_dataset`, which does not read this format.

    A TFDS data source supports neither ids nor partial decoding.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    # Pair each serialised record with an id in the form of the other formats.
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    source = builder.as_data_source(split=split, deserialize_method=raw)
    files = builder.info.splits[split].file_instructions
    ids = [f"{file.basename()}__{index}" for file in files for index in range(file.take)]
    text = tf.TensorSpec((), tf.string)
    records = tf.data.Dataset.from_generator(
        lambda: zip(source, ids, strict=True), output_signature=(text, text)
    )
    # Deserialise the chosen features only.
    return records.map(
        lambda record, name: {"tfds_id": name, **features.deserialize_example(record)},
        num_parallel_calls=tf.data.AUTOTUNE,
    )


@contextlib.contextmanager
def _few_retries():
    """Makes a download without a network fail in seconds. TFDS retries for three minutes."""
    from tensorflow_datasets.core.download import downloader

    before = getattr(downloader, "MAX_RETRIES", None)
    downloader.MAX_RETRIES = _DOWNLOAD_RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


@contextlib.contextmanager
def _quiet():
    """Silences the log of TFDS and TensorFlow. A terminal shows the progress of TFDS."""
    loggers = [logging.getLogger(name) for name in ("absl", "tensorflow", "urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    errors = sys.stderr if sys.stderr.isatty() else io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _reason(error):
    """Returns the first line of an error with its type, at most 400 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text.rstrip(".:") if len(text) <= 400 else text[:397] + "..."
