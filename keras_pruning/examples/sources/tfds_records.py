"""Reads the records of TensorFlow Datasets in the order of their files, with ids."""

import contextlib
import io
import logging
import os
import re
import sys

from keras_pruning.errors import InputError
from keras_pruning.examples.export_mark import MARK, marked

_DOWNLOAD_RETRIES = 3


class NoLabelsError(Exception):
    """The first example has the label -1, by which TFDS marks a split without labels."""


def prepared(name, data_dir):
    """Returns the TFDS builder of a data set, after a download if it is not prepared."""
    try:
        with quiet(), _few_retries():
            import tensorflow_datasets as tfds

            # Full names, as results record them, have a slash in front of the version.
            name = re.sub(r"/(\d+\.\d+\.\d+)$", r":\1", name)
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


def id_feature(builder):
    """Returns the name of the feature with the ids of an export, `None` for other data sets."""
    metadata = builder.info.metadata
    text = metadata.get(MARK) if isinstance(metadata, dict) else None
    return None if text is None else marked(text, builder.data_path).get("id")


def read(builder, split, image, label, identity="tfds_id"):
    """Yields images, labels and ids in the order of the files.

    As a generator it reads nothing if the cache has the images.

    Args:
        builder: TFDS builder.
        split: split of TFDS.
        image, label: names of features.
        identity: name of the feature with the ids. Defaults to the ids that TFDS adds.
    """
    names = {image, label, identity} - {"tfds_id"}
    try:
        with quiet():
            dataset = _dataset(builder, split, dict.fromkeys(names, True))
        for number, example in enumerate(dataset.as_numpy_iterator()):
            if number == 0 and example[label] == -1:
                raise NoLabelsError
            yield example[image], example[label], example[identity].decode()
    except NoLabelsError:
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
    ids = [f"{file.basename()}__{index}" for file in files for index in positions(file)]
    text = tf.TensorSpec((), tf.string)
    records = tf.data.Dataset.from_generator(
        lambda: zip(source, ids, strict=True), output_signature=(text, text)
    )
    # Deserialise the chosen features only.
    return records.map(
        lambda record, name: {"tfds_id": name, **features.deserialize_example(record)},
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def positions(file):
    """Returns the positions of the examples that TFDS reads of one file."""
    return range(file.skip, file.skip + file.take)


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
def quiet():
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
