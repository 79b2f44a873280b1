"""Files of the finished parts of a scoring, kept until the parts are put together."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.strings import as_arrow
from keras_pruning.jobs import claims
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import ANY, clear_leftovers, new_file
from keras_pruning.tables import parquet

KIND = "keras_pruning.part"
_PREFIX = "part-"


@dataclass(frozen=True)
class PartFiles:
    """A file for each finished part of a scoring: `part-shard-0-of-4.parquet` and so on.

    Args:
        folder: `Path` of the files. Other files in it are left alone.
        recipe: recipe of the scoring, nested dictionaries.
    """

    folder: Path
    recipe: dict

    def has(self, name):
        """Returns whether a part is finished.

        Raises:
            InputError: if there is a file of another recipe.
        """
        path = self.path(name)
        if not path.exists():
            return False
        _, metadata = parquet.read(path, KIND)
        require_same_recipe(path, metadata["recipe"], self.recipe)
        return True

    def write(self, name, ids, values, details):
        """Writes the file of a part, unless another process has written it meanwhile.

        Args:
            name: name of the part.
            ids: ids of its examples, strings `(examples,)`.
            values: dictionary from names of scores to numbers `(examples,)`.
            details: dictionary for JSON.
        """
        metadata = {"recipe": self.recipe, "details": details}
        try:
            with new_file(self.path(name)) as partial:
                parquet.write(partial, KIND, {"id": ids, **values}, metadata)
        except InputError:
            if not self.has(name):
                raise

    def read(self, name):
        """Returns the `ids`, as Arrow strings, the `values` and the `details` of `write`.

        Raises:
            InputError: if there is no file, or one of another recipe.
        """
        if not self.has(name):
            raise InputError(
                f"A part of the scoring is missing. Expected {self.path(name)}. Received: none. "
                "Repeat the command: finished parts are kept."
            )
        values, metadata = parquet.read(self.path(name), KIND)
        return values.pop("id"), values, metadata["details"]

    def require_same_recipe(self):
        """Raises an `InputError` if there is a file of another recipe."""
        for name in self._names():
            self.has(name)

    def path(self, name):
        """Returns the path of the file of a part."""
        return self.folder / f"{_PREFIX}{name}.parquet"

    def checkpoint_path(self, name):
        """Returns the path of the file from which a part goes on if it is killed."""
        return self.folder / f"{_PREFIX}{name}.unfinished.npz"

    def clear(self):
        """Removes the files of this recipe."""
        for name in self._names():
            # A file of another recipe, or of somebody else, stays.
            with contextlib.suppress(InputError):
                if self.has(name):
                    claims.remove(self.path(name), [self.checkpoint_path(name)])
                    for path in (self.checkpoint_path(name), self.path(name)):
                        clear_leftovers(path, ANY)
                        path.unlink(missing_ok=True)

    def _names(self):
        return [path.stem.removeprefix(_PREFIX) for path in self.folder.glob(f"{_PREFIX}*.parquet")]


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
