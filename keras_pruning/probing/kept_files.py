"""Files of finished work of a scoring, which are kept until all of it is put together."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs import claims
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import ANY, clear_leftovers, new_file
from keras_pruning.storage.unfinished import read_identity
from keras_pruning.tables import parquet


@dataclass(frozen=True)
class KeptFiles:
    """A Parquet file for each finished piece of work: `<prefix><name>.parquet`.

    A scoring that was interrupted goes on with them.

    Class attributes:
        kind: kind of the files, as for `keras_pruning.tables.parquet.write`.
        prefix: the first part of their names.

    Args:
        folder: `Path` of the files. Other files in it are left alone.
        recipe: recipe of the scoring, nested dictionaries.
    """

    folder: Path
    recipe: dict

    kind = None
    prefix = ""

    def has(self, name):
        """Returns whether a piece of work is finished.

        Raises:
            InputError: if there is a file of another recipe.
        """
        path = self.path(name)
        if not path.exists():
            return False
        _, metadata = parquet.read(path, self.kind)
        require_same_recipe(path, metadata["recipe"], self.recipe)
        return True

    def require_same_recipe(self):
        """Raises an `InputError` if there is a file of another recipe, finished or not."""
        for name in self._names():
            self._require_same_recipe(name)

    def keep(self, name, columns, metadata):
        """Writes a file, unless another process has written it meanwhile.

        Args:
            name: name of the piece of work.
            columns: dictionary of arrays.
            metadata: dictionary for JSON, to which the recipe is added.
        """
        try:
            with new_file(self.path(name)) as partial:
                parquet.write(partial, self.kind, columns, {"recipe": self.recipe, **metadata})
        except InputError:
            if not self.has(name):
                raise

    def columns(self, name):
        """Returns the columns and the metadata of `keep`.

        Raises:
            InputError: if there is no file, or one of another recipe.
        """
        columns, metadata = parquet.read(self.path(name), self.kind)
        require_same_recipe(self.path(name), metadata["recipe"], self.recipe)
        return columns, metadata

    def path(self, name):
        """Returns the path of the file of a piece of work."""
        return self.folder / f"{self.prefix}{name}.parquet"

    def checkpoint_path(self, name):
        """Returns the path of the file from which a piece of work goes on if it is killed."""
        return self.folder / f"{self.prefix}{name}.unfinished.npz"

    def clear(self):
        """Removes the files of this recipe."""
        for name in self._names():
            # A file of another recipe, or of somebody else, stays.
            with contextlib.suppress(InputError):
                self._require_same_recipe(name)
                claims.remove(self.path(name))
                remove(self.checkpoint_path(name))
                remove(self.path(name))

    def _require_same_recipe(self, name):
        """Raises an `InputError` if a piece of work has another recipe, finished or killed."""
        self.has(name)
        path = self.checkpoint_path(name)
        unfinished = read_identity(path)
        if unfinished is not None:
            require_same_recipe(path, unfinished.get("recipe"), self.recipe)

    def _names(self):
        """Returns the names of all pieces of work that are finished or begun, sorted."""
        paths = self.folder.glob(f"{self.prefix}*")
        return sorted({path.name.removeprefix(self.prefix).split(".")[0] for path in paths})

    def names(self):
        """Returns the names of the finished pieces of work, whichever their recipe."""
        paths = sorted(self.folder.glob(f"{self.prefix}*.parquet"))
        return [path.stem.removeprefix(self.prefix) for path in paths]


def remove(path):
    """Removes a file, and the partial files that killed processes have left of it."""
    clear_leftovers(path, ANY)
    path.unlink(missing_ok=True)
