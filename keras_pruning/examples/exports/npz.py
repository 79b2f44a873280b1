"""`npz`: one file of arrays, which `numpy.load` and the source `npz:FILE` read."""

import zipfile

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import flattened
from keras_pruning.examples.export_mark import MARK, mark
from keras_pruning.examples.exports.stored_blocks import blocks, parts
from keras_pruning.examples.memory import require_memory

FILE = "examples.npz"
# Ids that are written at a time.
_BLOCK = 2**16


def write(examples, folder, path):
    """Writes `x_SPLIT`, `y_SPLIT`, `ids_SPLIT` and `class_names`.

    Inputs of several arrays are `x_SPLIT/KEY`, or `x_SPLIT/0` and so on for a tuple. Texts, ids and
    class names have the fixed width of NumPy.

    Args:
        examples: `Examples`.
        folder: new folder.
        path: not used.

    Raises:
        InputError: if a text contains a NUL, or texts are too long for a fixed width.
    """
    split, labels = examples.split, examples.labels
    ids = (examples.ids[start : start + _BLOCK] for start in range(0, len(examples), _BLOCK))
    with zipfile.ZipFile(folder / FILE, "w") as archive:
        for name, part in flattened(parts(examples.stored), f"x_{split}").items():
            _write_inputs(archive, name, examples, part)
        _write(archive, f"y_{split}", labels.shape, labels.dtype, [labels])
        width = max(len(name) for name in examples.ids.tolist())
        _write(archive, f"ids_{split}", (len(examples),), np.dtype(f"U{width}"), ids)
        names = np.array(examples.class_names, object)
        names = _fixed_width(names, max(map(len, names)), "class_names")
        for name, text in {"class_names": names, MARK: _mark(examples)}.items():
            _write(archive, name, text.shape, text.dtype, [text])


def _mark(examples):
    return np.array(mark(scale=examples.stored.scale))


def _write_inputs(archive, name, examples, part):
    """Writes the array of one part of the inputs."""
    empty = part.read(np.arange(0))
    shape = (len(examples), *empty.shape[1:])
    read = (values for _, values in blocks(examples, part))
    if empty.dtype != object:
        _write(archive, name, shape, empty.dtype, read)
        return
    # Read texts twice, because the longest one decides the width of all.
    width = max(len(text) for _, texts in blocks(examples, part) for text in texts.flat)
    dtype = np.dtype(f"U{max(1, width)}")
    require_memory(
        int(np.prod(shape)) * dtype.itemsize,
        f"the texts {name!r} as an array of a fixed width, which a reader needs",
        "Use the format parquet or tfds for long texts.",
    )
    _write(archive, name, shape, dtype, (_fixed_width(texts, width, name) for texts in read))


def _write(archive, name, shape, dtype, arrays):
    """Writes one `.npy` file into an archive, array by array.

    Args:
        archive: open `zipfile.ZipFile`.
        name: name of the array.
        shape: its shape.
        dtype: its dtype.
        arrays: iterable of its parts along the first axis.
    """
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    # The size is not known to zipfile, and may be above 4 GiB.
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for array in arrays:
            file.write(np.ascontiguousarray(array, dtype).tobytes())


def _fixed_width(texts, width, name):
    """Returns an array of `str` objects as NumPy text. Raises an `InputError` for a NUL."""
    if any("\0" in text for text in texts.flat):
        raise InputError(
            f"Cannot write {name!r} as NumPy text. Expected texts without NUL characters, which "
            "NumPy drops at the end. Received: one with a NUL. Use the format parquet or tfds."
        )
    return texts.astype(f"U{max(1, width)}")
