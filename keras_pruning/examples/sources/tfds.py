"""`tfds:NAME`: a data set of TensorFlow Datasets that has an image and a class label."""

import contextlib
import io
import logging
import os
import sys

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.examples.inputs import Inputs
from keras_pruning.examples.sources import decoded_images

_DOWNLOAD_RETRIES = 3


def load(location, split, data_dir=None, image_size=None):
    """Pixels `(N, height, width, channels)`, uint8. An id is TFDS' own, `FILE__INDEX`.

    Examples are in the order of the files. The image and the label are those of the data set's
    `supervised_keys`, else the first of each kind by name. A data set without a split `test`
    gives its `validation`. What lies prepared on this machine is decoded once and kept.

    Args:
        location: a name as `tfds.builder` takes it: `cifar10`, `imagenette/160px`, `mine:1.0.0`.
        split: `"train"` or `"test"`.
        data_dir: where TFDS keeps its data sets; by default TFDS' own place.
        image_size: height and width that images are resized to; needed where they differ.

    Raises:
        InputError: if the data set is unknown, not prepared and not to be had now, cannot be
            read, or has no such split, no uint8 image or no class label.
    """
    builder = _prepared(location, data_dir)
    image, label = _feature_names(builder, image_size)
    name = _split_name(builder, split)
    images, labels, ids = decoded_images.load(
        _key(builder, name, (image, label), image_size),
        builder.info.splits[name].num_examples if name in builder.info.splits else None,
        _read(builder, name, image, label),
        lambda example: (decoded_images.resized(example[0], image_size), *example[1:]),
    )
    classes = builder.info.features[label]
    source = f"tfds:{builder.info.full_name}"
    return Examples(Inputs(images), labels, ids, classes.num_classes, source, split, classes.names)


def _prepared(name, data_dir):
    try:
        with _quiet(), _few_retries():
            import tensorflow_datasets as tfds

            builder = tfds.builder(name, data_dir=data_dir)
            builder.download_and_prepare()
            return builder
    except Exception as error:  # Data sets run code of their own, which raises anything.
        place = data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        raise InputError(
            f"Cannot load the TFDS data set {name!r}. Expected one that lies prepared in {place}, "
            f"or that can be downloaded now. Received: {_reason(error)}. Prepare it with "
            "`tfds build` where there is a network, or set `dataset.data_dir` to where it lies."
        ) from error


def _feature_names(builder, image_size):
    from tensorflow_datasets import features as kinds

    info = builder.info
    features = info.features if isinstance(info.features, kinds.FeaturesDict) else {}
    # By name: read from a file, they come in an order that changes from process to process.
    features = dict(sorted(features.items()))
    images = [name for name, kind in features.items() if isinstance(kind, kinds.Image)]
    images = [name for name in images if not isinstance(features[name], kinds.LabeledImage)]
    labels = [name for name, kind in features.items() if isinstance(kind, kinds.ClassLabel)]
    if not images or not labels:
        raise InputError(
            f"Cannot use the TFDS data set {info.full_name}. Expected an Image and a ClassLabel "
            f"among its features. Received: {', '.join(features) or 'none'}"
        )
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
            f"The images of {name} differ in size. Expected one height and width for all. "
            f"Received: shape {image.shape}. Set `dataset.image_size` to resize them."
        )


def _split_name(builder, split):
    names = list(builder.info.splits)
    # Without files TFDS does not know the splits: then it is left to say whether there is one.
    if split in names or not names:
        return split
    if split == "test" and "validation" in names:
        return "validation"
    raise InputError(
        f"No split {split!r} in the TFDS data set {builder.info.full_name}. Expected one of its "
        f"splits: {', '.join(names)}. Received: {split!r}"
    )


def _key(builder, split, features, image_size):
    """What identifies the decoded images; `None` unless all files of the split are there."""
    if split not in builder.info.splits:
        return None
    info = builder.info.splits[split]
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
        "files": [[stat.st_size, stat.st_mtime_ns] for stat in stats],
        "image_size": image_size,
    }


def _read(builder, split, image, label):
    """Images, labels and ids in the order of the files; not begun while the cache has them."""
    try:
        with _quiet():
            dataset = _dataset(builder, split, {image: True, label: True})
        for example in dataset.as_numpy_iterator():
            yield example[image], example[label], example["tfds_id"].decode()
    except Exception as error:  # TensorFlow and the file formats each have their own.
        raise InputError(
            f"Cannot read the split {split!r} of the TFDS data set {builder.info.full_name} in "
            f"{builder.data_dir}. Expected whole files. Received: {_reason(error)}"
        ) from error


def _dataset(builder, split, features):
    import tensorflow_datasets as tfds

    partial = tfds.decode.PartialDecoding(features)
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        return _array_records(builder, split, partial.extract_features(builder.info.features))
    # One file after the other: by default TFDS takes 16 examples of each in turn.
    config = tfds.ReadConfig(
        add_tfds_id=True, interleave_cycle_length=1, try_autocache=False, skip_prefetch=True
    )
    return builder.as_dataset(
        split=split, decoders=partial, read_config=config, shuffle_files=False
    )


def _array_records(builder, split, features):
    """What `as_dataset` gives for the other formats; a data source knows neither ids nor parts."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    source = builder.as_data_source(split=split, deserialize_method=raw)
    files = builder.info.splits[split].file_instructions
    ids = [f"{file.basename()}__{index}" for file in files for index in range(file.take)]
    text = tf.TensorSpec((), tf.string)
    records = tf.data.Dataset.from_generator(
        lambda: zip(source, ids, strict=True), output_signature=(text, text)
    )
    return records.map(
        lambda record, name: {"tfds_id": name, **features.deserialize_example(record)},
        num_parallel_calls=tf.data.AUTOTUNE,
    )


@contextlib.contextmanager
def _few_retries():
    """Lets a download fail in seconds: TFDS tries for three minutes where there is no network."""
    from tensorflow_datasets.core.download import downloader

    before = getattr(downloader, "MAX_RETRIES", None)
    downloader.MAX_RETRIES = _DOWNLOAD_RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


@contextlib.contextmanager
def _quiet():
    """Keeps back what TFDS and TensorFlow say about themselves; a terminal sees TFDS' progress."""
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
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text.rstrip(".:") if len(text) <= 400 else text[:397] + "..."
