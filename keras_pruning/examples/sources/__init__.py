"""Sources of examples: one file for each kind, and the registry `SOURCES`."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_pruning.examples.sources import digits, folder, idx, npz, tfds


@dataclass(frozen=True)
class Source:
    """A kind of source that `load_examples` reads.

    Args:
        load: function of `location`, `split`, `data_dir` and `image_size` that returns `Examples`.
        location: placeholder for the text after the colon, for example `"DIR"`, or `None` if the
            source has no location.
        takes_image_size: whether `load` resizes images to `image_size`.
    """

    load: Callable
    location: str | None = None
    takes_image_size: bool = False


SOURCES = {
    "digits": Source(digits.load),
    "idx": Source(idx.load, "DIR"),
    "npz": Source(npz.load, "FILE"),
    "folder": Source(folder.load, "DIR", takes_image_size=True),
    "tfds": Source(tfds.load, "NAME", takes_image_size=True),
}


def usages():
    """Returns the form of each source's name, such as `digits` or `idx:DIR`."""
    return [
        name if source.location is None else f"{name}:{source.location}"
        for name, source in SOURCES.items()
    ]
