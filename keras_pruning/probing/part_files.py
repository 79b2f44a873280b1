"""Files of the finished parts of a scoring, kept until the parts are put together."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.strings import as_arrow
from keras_pruning.probing.kept_files import KeptFiles


@dataclass(frozen=True)
class PartFiles(KeptFiles):
    """A file for each finished part of a scoring: `part-shard-0-of-4.parquet` and so on."""

    kind = "keras_pruning.part"
    prefix = "part-"

    def write(self, name, ids, values, details):
        """Writes the file of a part, unless another process has written it meanwhile.

        Args:
            name: name of the part.
            ids: ids of its examples, strings `(examples,)`.
            values: dictionary from names of scores to numbers `(examples,)`.
            details: dictionary for JSON.
        """
        self.keep(name, {"id": ids, **values}, {"details": details})

    def read(self, name):
        """Returns the `ids`, as Arrow strings, the `values` and the `details` of `write`.

        Raises:
            InputError: if there is no file, or one of another recipe.
        """
        values, metadata = self.columns(name)
        return values.pop("id"), values, metadata["details"]


def places_of(ids, parts):
    """Returns where each example is in parts that were put together, integers `(examples,)`.

    Args:
        ids: ids of all examples, strings `(examples,)`.
        parts: list of the ids of each part, as `PartFiles.read` returns them.

    Raises:
        InputError: unless the parts have each example once.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    together = pa.chunked_array([chunk for part in parts for chunk in part.chunks])
    places = pc.index_in(as_arrow(ids), value_set=together)
    if len(together) != len(ids) or places.null_count:
        raise InputError(
            f"The parts of the scoring do not fit the examples. Expected each of {len(ids)} ids "
            f"once. Received: {len(together)} ids, {places.null_count} of the examples missing. "
            "Remove the parts and repeat the command."
        )
    return np.asarray(places)
