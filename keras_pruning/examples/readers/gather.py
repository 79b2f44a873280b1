"""Reads a whole data set into arrays, and checks that it repeats its order."""

import os
from pathlib import PurePath

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.readers import reader_of
from keras_pruning.examples.readers.columns import Columns, leaf_pairs
from keras_pruning.examples.readers.elements import batches_of

_ORDER = (
    "Expected the same examples in the same order whenever the data set is read, because ids are "
    "positions in it. Received: {} in a second pass. {}"
)


def gathered(dataset, ids=None, keys=None, batched=None, class_names=None):
    """Returns the arguments of `Examples.from_arrays` for a data set.

    Args:
        dataset, ids, keys, batched, class_names: as for `Examples.from_dataset`.
    """
    reader = reader_of(dataset)
    if keys is not None and (isinstance(keys, str | dict) or len(keys) != 2):
        raise InputError(
            "Invalid `keys`. Expected the key of the inputs, or a list of them, and the key of the "
            f"label, such as ('image', 'label'). Received: keys={keys!r}"
        )
    id_key = ids if isinstance(ids, str) else None
    batched = reader.is_batched(dataset) if batched is None else batched

    def batches():
        return batches_of(reader.elements(dataset), keys, id_key, batched)

    with Columns() as columns:
        names = []
        for batch in batches():
            columns.append(batch)
            names += [] if batch.ids is None else _names(batch.ids)
        x, y = columns.finish()
    # Ids that the caller gives count more than `tfds_id`.
    if names and (ids is None or id_key is not None):
        ids = names
    elif id_key is not None:
        raise InputError(
            f"No ids in the data set. Expected the key {id_key!r} in its elements. Received: others"
        )
    else:
        _require_same(x, y, batches())
        ids = _file_ids(dataset, y, reader.class_names(dataset, keys)) if ids is None else ids
    names = reader.class_names(dataset, keys) if class_names is None else class_names
    return {"x": x, "y": y, "ids": ids, "class_names": names}


def _names(ids):
    """Returns the ids of a batch as a list, bytes as strings."""
    try:
        return [name.decode() if isinstance(name, bytes) else name for name in ids.tolist()]
    except UnicodeDecodeError as error:
        raise InputError(
            f"Invalid ids in the data set. Expected UTF-8. Received: other bytes ({error})"
        ) from error


def _require_same(x, y, batches):
    """Raises an `InputError` unless a second pass gives the same inputs and labels."""
    start = 0
    for batch in batches:
        rows = slice(start, start + len(batch.y))
        start += len(batch.y)
        if start > len(y) or not _equal(y[rows], batch.y):
            raise InputError(
                "The data set changes its order. "
                + _ORDER.format(
                    f"other labels at position {rows.start}",
                    "Leave out `shuffle`, or pass shuffle=False or shuffle_files=False to the "
                    "function that makes it. Shuffle after scoring.",
                )
            )
        pairs = leaf_pairs(x, batch.x)
        if not all(_equal(ours.array[rows], theirs) for ours, theirs in pairs):
            raise InputError(
                "The data set changes its inputs. "
                + _ORDER.format(
                    f"the same labels with other inputs at position {rows.start}",
                    "If it shuffles, pass shuffle=False. If it augments, read it before the "
                    "augmentation.",
                )
            )
    if start != len(y):
        raise InputError(
            "The data set changes its length. "
            + _ORDER.format(f"{start} examples, not {len(y)}", "")
        )


def _equal(stored, read):
    """Returns whether values are equal, once they are cast as the first ones were."""
    with np.errstate(over="ignore"):
        read = read.astype(stored.dtype, copy=False)
    if stored.dtype.kind == "f":
        # Bits, so that NaN equals itself.
        stored, read = (np.ascontiguousarray(part).view(np.uint8) for part in (stored, read))
    return np.array_equal(stored, read)


def _file_ids(dataset, y, names):
    """Returns ids from the `file_paths` of `image_dataset_from_directory`, `None` without them."""
    paths = getattr(dataset, "file_paths", None)
    if paths is None or len(paths) != len(y):
        return None
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    ids = [PurePath(os.path.relpath(path, root)).as_posix() for path in paths]
    folders = [name.split("/")[0] for name in ids]
    numbers = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    # Paths are in the order before a shuffle, which is on by default.
    if names and set(folders) <= set(names):
        differing = [
            position
            for position, (folder, number) in enumerate(zip(folders, numbers, strict=True))
            if names[int(number)] != folder
        ]
        if differing:
            raise InputError(
                "The labels of the data set do not belong to its files. Expected the order of "
                f"`file_paths`. Received: label {names[int(numbers[differing[0]])]!r} for "
                f"{ids[differing[0]]}. Pass shuffle=False to the function that makes it."
            )
    return ids
