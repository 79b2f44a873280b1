"""`tfds`: a prepared data set of TensorFlow Datasets, which needs none of our code to be read."""

import re

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec, flattened, mapped
from keras_pruning.examples.export_mark import MARK, mark
from keras_pruning.examples.exports.stored_blocks import blocks
from keras_pruning.examples.sources.tfds_records import quiet

# Bytes of a shard, as TFDS recommends at least 100 MiB, and the bytes of an id and a label.
_BYTES_OF_SHARD, _BYTES_OF_REST = 2**27, 64
# The features beside the inputs.
LABEL, ID = "label", "id"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def write(examples, folder, path):
    """Writes TFRecord shards, `features.json` and `dataset_info.json`.

    The inputs are the feature `image` if they are 8-bit images, `text` if they are strings, `x`
    otherwise. Several inputs are a dictionary `x`, in which a tuple has the keys `0`, `1` and so
    on. Images are PNG, without loss. `label` is a `ClassLabel`, `id` a `Text`.

    Args:
        examples: `Examples`.
        folder: new folder.
        path: path of the folder at the end. `.../NAME/1.0.0` gives the name and the version, any
            other path the name alone.

    Raises:
        InputError: if the split or a class has a name that TFDS cannot keep, or if a key of a
            dictionary is no string.
    """
    # Check names and keys before anything is written.
    _require_names(examples)
    flattened(examples.spec, "x")
    # Write block by block. TFDS opens the next shard by itself.
    with quiet():
        import tensorflow_datasets as tfds

        name, features = _features(examples, tfds)
        writer = tfds.core.SequentialWriter(
            _info(folder, path, name, features, tfds), _examples_per_shard(examples)
        )
        writer.initialize_splits([examples.split])
        for rows, values in blocks(examples):
            records = [
                {
                    name: mapped(lambda array, row=row: _value(array[row]), _as_dictionary(values)),
                    LABEL: int(examples.labels[row + rows[0]]),
                    ID: str(examples.ids[row + rows[0]]),
                }
                for row in range(len(rows))
            ]
            writer.add_examples({examples.split: records})
        writer.close_all()


def _features(examples, tfds):
    """Returns the name of the feature of the inputs, and the `FeaturesDict`."""
    kinds = tfds.features
    empty = _as_dictionary(examples.stored_inputs(np.arange(0)))
    inputs = mapped(lambda array: _feature(array, kinds), empty)
    name = "x"
    if isinstance(examples.spec, ArraySpec):
        name = {kinds.Image: "image", kinds.Text: "text"}.get(type(inputs), "x")
    label = kinds.ClassLabel(names=examples.class_names)
    return name, kinds.FeaturesDict({name: inputs, LABEL: label, ID: kinds.Text()})


def _feature(array, kinds):
    """Returns the feature that gives the rows of an array back bit by bit."""
    shape = array.shape[1:]
    if array.dtype == object:
        return kinds.Tensor(shape=shape, dtype=np.str_) if shape else kinds.Text()
    if array.dtype == np.uint8 and len(shape) == 3 and shape[2] in (1, 3, 4) and all(shape):
        return kinds.Image(shape=shape, encoding_format="png")
    return kinds.Tensor(shape=shape, dtype=array.dtype)


def _info(folder, path, name, features, tfds):
    """Returns the `DatasetInfo` of a new data set."""
    has_version = _VERSION.fullmatch(path.name) is not None
    identity = tfds.core.dataset_info.DatasetIdentity(
        name=_dataset_name(path.parent.name if has_version else path.name),
        version=tfds.core.Version(path.name if has_version else "1.0.0"),
        data_dir=str(folder),
        module_name="",
    )
    return tfds.core.DatasetInfo(
        builder=identity,
        description="Examples that keras_pruning has exported.",
        features=features,
        supervised_keys=(name, LABEL),
        metadata=tfds.core.MetadataDict({MARK: mark(id=ID)}),
    )


def _dataset_name(text):
    """Returns a text as a name that TFDS takes: a letter first, then letters, digits and `_`."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).lower().strip("_")
    return name if name[:1].isalpha() else f"pruned_{name}".rstrip("_")


def _examples_per_shard(examples):
    """Returns the number of examples in a shard, by the size of the first block."""
    _, values = next(blocks(examples))
    first = flattened(values, "x").values()
    size = sum(
        sum(map(len, array.flat)) if array.dtype == object else array.nbytes for array in first
    )
    count = len(next(iter(first)))
    return max(1, int(_BYTES_OF_SHARD / (size / count + _BYTES_OF_REST)))


def _as_dictionary(inputs):
    """Returns inputs with a dictionary in place of every tuple, because TFDS has no tuples."""
    if isinstance(inputs, tuple | list):
        inputs = {str(position): part for position, part in enumerate(inputs)}
    if isinstance(inputs, dict):
        return {key: _as_dictionary(part) for key, part in inputs.items()}
    return inputs


def _value(value):
    """Returns a single value as TFDS takes it: text as `str`, numbers as NumPy arrays."""
    return value if isinstance(value, str | np.ndarray) else np.asarray(value)


def _require_names(examples):
    """Raises an `InputError` if the split or a class has a name that TFDS would change."""
    if not re.fullmatch(r"\w+", examples.split, flags=re.ASCII):
        raise InputError(
            "Invalid name of a split of TFDS. Expected letters, digits and '_'. "
            f"Received: {examples.split!r}"
        )
    # TFDS keeps the names in lines of a file, and reads them without spaces around them.
    changed = [name for name in examples.class_names if [name.strip()] != name.split("\n")]
    changed += [name for name in examples.class_names if not name.strip()]
    if changed:
        raise InputError(
            "Invalid class names for TFDS, which keeps them in the lines of a file. Expected names "
            f"in one line, without spaces around them. Received: {changed[:5]}. Use the format npz "
            "or parquet, or rename them."
        )
