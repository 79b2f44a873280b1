"""Files of finished probes, which are kept until the scores of all probes are written."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.examples.ids import are_among
from keras_pruning.probing.estimates import Extrapolation
from keras_pruning.probing.kept_files import KeptFiles, remove
from keras_pruning.tables.score_table import ScoreTable

FOLDER = "probes"
_ESTIMATE, _HAS_ESTIMATE = "estimate of ", "has an estimate"


@dataclass(frozen=True)
class ProbeFiles(KeptFiles):
    """A file for each finished probe of a scoring: `seed-0.parquet` and so on."""

    kind = "keras_pruning.probe"
    prefix = "seed-"

    @classmethod
    def of(cls, plan, folder, extra=()):
        """Returns the files of a `ScoringPlan`, with `extra` as for `probe_tables`."""
        return cls(Path(folder), {**plan.recipe, "extra": list(extra)})

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
        metadata = {"cost": cost, "table": table.metadata, "held_out": None}
        # One file for both tables, so that no moment has one without the other
        if held_out is not None:
            rows = are_among(table.ids, held_out.ids)
            columns[_HAS_ESTIMATE] = rows
            for name in table.names:
                column = columns[_ESTIMATE + name] = np.zeros(len(table), np.float32)
                column[rows] = held_out[name]
            metadata["held_out"] = held_out.metadata
        self.keep(seed, columns, metadata)

    @property
    def unfinished(self):
        """Path of the file from which the scoring with saved models goes on if it is killed."""
        return self.folder / "checkpoints.unfinished.npz"

    def read(self, seed):
        """Returns the `scored` and the `cost` that `write` was given.

        Raises:
            InputError: if there is no file, or one of another recipe.
        """
        columns, metadata = self.columns(seed)
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
        super().clear()
        remove(self.unfinished)
        with contextlib.suppress(OSError):
            self.folder.rmdir()
