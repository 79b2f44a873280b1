"""Files of finished probes, which are kept until the scores of all probes are written."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.ids import are_among
from keras_pruning.jobs import claims
from keras_pruning.probing.estimates import Extrapolation
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import ANY, clear_leftovers, new_file
from keras_pruning.tables import parquet
from keras_pruning.tables.score_table import ScoreTable

KIND = "keras_pruning.probe"
FOLDER = "probes"
_ESTIMATE, _HAS_ESTIMATE = "estimate of ", "has an estimate"


@dataclass(frozen=True)
class ProbeFiles:
    """A file for each finished probe of a scoring: `seed-0.parquet` and so on.

    A scoring that was interrupted goes on with them.

    Args:
        folder: folder of the files. Other files in it are left alone.
        recipe: recipe of the scoring, nested dictionaries.
    """

    folder: Path
    recipe: dict

    @classmethod
    def of(cls, plan, folder, extra=()):
        """Returns the files of a `ScoringPlan`, with `extra` as for `probe_tables`."""
        return cls(Path(folder), {**plan.recipe, "extra": list(extra)})

    def has(self, seed):
        """Returns whether the probe of a seed is finished.

        Raises:
            InputError: if there is a file of another recipe.
        """
        path = self.path(seed)
        if not path.exists():
            return False
        _, metadata = parquet.read(path, KIND)
        require_same_recipe(path, metadata["recipe"], self.recipe)
        return True

    def require_same_recipe(self):
        """Raises an `InputError` if there is a file of another recipe, whichever its seed."""
        for path in self._paths():
            self.has(path.stem.removeprefix("seed-"))

    def write(self, seed, scored, cost):
        """Writes the file of a probe, unless another process has written it meanwhile.

        Args:
            seed: seed of the probe.
            scored: `ScoreTable`, or `Extrapolation` if a part is scored.
            cost: dictionary of the cost, for JSON.
        """
        table, held_out = scored if isinstance(scored, Extrapolation) else (scored, None)
        columns = {"id": table.ids, "label": table.labels, "extrapolated": table.extrapolated}
        columns |= {name: table[name] for name in table.names}
        metadata = {"recipe": self.recipe, "cost": cost, "table": table.metadata, "held_out": None}
        # One file for both tables, so that no moment has one without the other
        if held_out is not None:
            rows = are_among(table.ids, held_out.ids)
            columns[_HAS_ESTIMATE] = rows
            for name in table.names:
                column = columns[_ESTIMATE + name] = np.zeros(len(table), np.float32)
                column[rows] = held_out[name]
            metadata["held_out"] = held_out.metadata
        try:
            with new_file(self.path(seed)) as partial:
                parquet.write(partial, KIND, columns, metadata)
        except InputError:
            if not self.has(seed):
                raise

    def path(self, seed):
        """Returns the path of the file of a probe."""
        return self.folder / f"seed-{seed}.parquet"

    def checkpoint_path(self, seed):
        """Returns the path of the file from which a probe goes on if it is killed."""
        return self.folder / f"seed-{seed}.unfinished.npz"

    @property
    def unfinished(self):
        """Path of the file from which the scoring with saved models goes on if it is killed."""
        return self.folder / "checkpoints.unfinished.npz"

    def read(self, seed):
        """Returns the `scored` and the `cost` that `write` was given.

        Raises:
            InputError: if there is no file, or one of another recipe.
        """
        columns, metadata = parquet.read(self.path(seed), KIND)
        require_same_recipe(self.path(seed), metadata["recipe"], self.recipe)
        ids, labels, extrapolated = (columns.pop(name) for name in ("id", "label", "extrapolated"))
        # Of the other columns, those of estimates belong to the examples that have some
        rows = columns.pop(_HAS_ESTIMATE, None)
        names = [name for name in columns if not name.startswith(_ESTIMATE)]
        scores = {name: columns[name] for name in names}
        scored = ScoreTable(ids, labels, scores, None, metadata["table"], extrapolated)
        if rows is not None:
            estimates = {name: columns[_ESTIMATE + name][rows] for name in names}
            held_out = ScoreTable(
                scored.ids[rows], labels[rows], estimates, None, metadata["held_out"]
            )
            scored = Extrapolation(scored, held_out)
        return scored, metadata["cost"]

    def clear(self):
        """Removes the files of this recipe, and the folder if nothing else is in it."""
        for path in self._paths():
            # A file of another recipe, or of somebody else, stays.
            with contextlib.suppress(InputError):
                seed = path.stem.removeprefix("seed-")
                if self.has(seed):
                    claims.remove(path, [self.checkpoint_path(seed)])
                    _remove(self.checkpoint_path(seed))
                    _remove(path)
        _remove(self.unfinished)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _paths(self):
        return sorted(self.folder.glob("seed-*.parquet"))


def _remove(path):
    clear_leftovers(path, ANY)
    path.unlink(missing_ok=True)
