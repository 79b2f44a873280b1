"""Sources of examples: one file for each kind, and the registry `SOURCES`."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_pruning.examples.sources import digits, folder, idx, npz, table_files, tfds


@dataclass(frozen=True)
class Source:
    """A kind of source that `load_examples` reads.

    Args:
        load: function of `location`, `split` and the options that it takes, which returns
            `Examples`.
        location: placeholder for the text after the colon, for example `"DIR"`, or `None` if the
            source has no location.
        takes: names of the options that `load` takes, besides those of every source.
        has_whole: whether `load` takes the split `None`, for all examples.
    """

    load: Callable
    location: str | None = None
    takes: tuple = ()
    has_whole: bool = False


_IMAGES = ("image_size", "skip_broken")
_COLUMNS = (*_IMAGES, "image_column", "label_column", "id_column", "split_column", "input_columns")

SOURCES = {
    "digits": Source(digits.load),
    "idx": Source(idx.load, "DIR"),
    "npz": Source(npz.load, "FILE"),
    "folder": Source(folder.load, "DIR", takes=_IMAGES, has_whole=True),
    "csv": Source(table_files.load_csv, "FILE", takes=_COLUMNS, has_whole=True),
    "parquet": Source(table_files.load_parquet, "FILE", takes=_COLUMNS, has_whole=True),
    "tfds": Source(
        tfds.load,
        "NAME",
        takes=("data_dir", "image_size", "train_split", "test_split"),
        has_whole=True,
    ),
}


def usages():
    """Returns the form of each source's name, such as `digits` or `idx:DIR`."""
    return [
        name if source.location is None else f"{name}:{source.location}"
        for name, source in SOURCES.items()
    ]
