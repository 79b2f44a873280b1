"""Scores of examples with ids, labels and provenance, in memory and as Parquet."""

import csv

import numpy as np

from keras_pruning.errors import InputError, unknown
from keras_pruning.statistics.reliability import reliability
from keras_pruning.storage import new_file
from keras_pruning.tables import parquet

KIND = "keras_pruning.scores"


class ScoreTable:
    """One column for each score, one row for each example, in the order of `examples.ids`.

    Args:
        ids: strings `(examples,)`.
        labels: integers `(examples,)`.
        scores: dictionary of floats `(examples,)`.
        standard_errors: dictionary of floats `(examples,)`, for scores that several probes gave.
        metadata: dictionary of `examples` (their provenance), `scores` (of each `higher_is_harder`,
            config, epochs, mode and over_seeds), `reliability` (what
            `keras_pruning.statistics.reliability.reliability` found) and how the table was made.
        extrapolated: booleans `(examples,)`, true where the scores are not the example's own but
            its neighbours', as `keras_pruning.probing.extrapolation` carries them over; by default none.

    Raises:
        InputError: if a column has another length or holds values that are not finite.
    """

    def __init__(self, ids, labels, scores, standard_errors=None, metadata=None, extrapolated=None):
        self.ids, self.labels = np.asarray(ids, dtype=str), np.asarray(labels, dtype=np.int64)
        self._scores = _columns(scores, len(self.ids))
        self.standard_errors = _columns(standard_errors or {}, len(self.ids))
        self.metadata = dict(metadata or {})
        if extrapolated is None:
            extrapolated = np.zeros(len(self.ids), bool)
        self.extrapolated = np.asarray(extrapolated, dtype=bool)
        if self.extrapolated.shape != self.ids.shape:
            raise InputError(
                f"Invalid `extrapolated`. Expected shape {self.ids.shape}, one boolean an example. "
                f"Received: {self.extrapolated.shape}"
            )

    @property
    def names(self):
        """The names of the scores."""
        return list(self._scores)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, name):
        """The score `name` as its paper has it, float32 `(examples,)`."""
        if name not in self._scores:
            raise unknown("score in this table", name, self._scores)
        return self._scores[name]

    def higher_is_harder(self, name):
        """Whether a higher value of the score `name` means a harder example.

        Raises:
            InputError: if the metadata do not say.
        """
        recorded = self.metadata.get("scores", {}).get(name, {})
        if "higher_is_harder" not in recorded:
            raise InputError(
                f"The direction of `{name}` is not recorded. Expected "
                f"metadata['scores']['{name}']['higher_is_harder'], True or False."
            )
        return bool(recorded["higher_is_harder"])

    def difficulty(self, name):
        """The score `name` oriented so that higher means harder, float32 `(examples,)`."""
        values = self[name]
        return values if self.higher_is_harder(name) else -values

    @classmethod
    def over_seeds(cls, tables):
        """The scores of several probes in one, each over those that have it.

        The mean, or the sum where `metadata["scores"][name]["over_seeds"]` says so, and its
        standard error: the sample's standard deviation (n - 1), divided by √n for a mean and
        multiplied by √n for a sum. How far the probes agree goes into the metadata; of examples
        that they have scored, because means of neighbours agree more. The standard error of an
        extrapolated score tells how far the probes disagree, not how far the neighbours are off.

        Args:
            tables: list of `ScoreTable` of the same examples, the same of them extrapolated.

        Raises:
            InputError: if their ids or labels differ, or other examples are extrapolated.
        """
        first = tables[0]
        for table in tables[1:]:
            same = np.array_equal(table.ids, first.ids)
            if not (same and np.array_equal(table.labels, first.labels)):
                raise InputError(
                    "The tables are of different examples. Expected the same ids and labels in "
                    "the same order in all."
                )
            if not np.array_equal(table.extrapolated, first.extrapolated):
                raise InputError(
                    "The tables have scored different parts of the examples. Expected the same "
                    "examples to be extrapolated in all."
                )
        metadata = {**first.metadata, "scores": {}, "reliability": {}}
        for table in reversed(tables):
            metadata["scores"] |= table.metadata.get("scores", {})
        scores, errors = {}, {}
        for name in dict.fromkeys(name for table in tables for name in table.names):
            values = np.stack([table[name] for table in tables if name in table.names])
            summed = metadata["scores"].get(name, {}).get("over_seeds") == "sum"
            count = len(values) if summed else 1
            scores[name] = values.mean(axis=0, dtype=np.float64) * count
            if len(values) > 1:
                deviation = values.std(axis=0, ddof=1, dtype=np.float64)
                errors[name] = deviation / len(values) ** 0.5 * count
            metadata["reliability"][name] = reliability(values[:, ~first.extrapolated])
        return cls(first.ids, first.labels, scores, errors, metadata, first.extrapolated)

    def save(self, path, overwrite=False):
        """Writes the table as Parquet: `id`, `label`, the scores, then `<score>_se`.

        A last column, `extrapolated`, is there only if some scores are.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        with new_file(path, overwrite) as partial:
            parquet.write(partial, KIND, self._as_columns(), self.metadata)

    @classmethod
    def load(cls, path):
        """Reads a table that `save` wrote.

        Raises:
            InputError: if the file is missing, truncated or something else.
        """
        columns, metadata = parquet.read(path, KIND)
        ids, labels = columns.pop("id"), columns.pop("label")
        extrapolated = columns.pop("extrapolated", None)
        names = metadata.get("scores") or [name for name in columns if not name.endswith("_se")]
        missing = [name for name in names if name not in columns]
        if missing:
            raise InputError(f"Invalid score table {path}. Expected the columns {missing}.")
        scores = {name: columns[name] for name in columns if name in names}
        errors = {name: columns[f"{name}_se"] for name in scores if f"{name}_se" in columns}
        return cls(ids, labels, scores, errors, metadata, extrapolated)

    def to_csv(self, path, overwrite=False):
        """Writes the same columns as CSV, for people.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        columns = self._as_columns()
        with new_file(path, overwrite) as partial, open(partial, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    def _as_columns(self):
        errors = {f"{name}_se": values for name, values in self.standard_errors.items()}
        marked = {"extrapolated": self.extrapolated} if self.extrapolated.any() else {}
        return {"id": self.ids, "label": self.labels, **self._scores, **errors, **marked}


def _columns(columns, length):
    checked = {name: np.asarray(values, dtype=np.float32) for name, values in columns.items()}
    for name, values in checked.items():
        if values.shape != (length,):
            raise InputError(
                f"Invalid scores `{name}`. Expected shape ({length},), one value an example. "
                f"Received: {values.shape}"
            )
        if not np.isfinite(values).all():
            raise InputError(
                f"Invalid scores `{name}`. Expected finite numbers. Received: NaN or infinity, "
                f"first at position {int(np.argmin(np.isfinite(values)))}"
            )
    return checked
