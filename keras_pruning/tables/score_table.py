"""The table of all scores, with ids, labels and provenance, in memory and as Parquet."""

import csv

import numpy as np

from keras_pruning.arguments import require_path
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
        standard_errors: dictionary of floats `(examples,)`, for scores of several probes.
        metadata: dictionary of `examples` (their provenance), `scores` (for each its
            `higher_is_harder`, config, epochs, mode and over_seeds), `reliability` (results of
            `keras_pruning.statistics.reliability.reliability`) and the origin of the table.
        extrapolated: booleans `(examples,)`, true if the scores of an example are the means of its
            scored neighbours, as `keras_pruning.probing.extrapolation` computes them. Defaults to
            none.

    Raises:
        InputError: if a column has another length or contains values that are not finite.
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
        """Names of the scores."""
        return list(self._scores)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, name):
        """Returns the score `name` as its paper defines it, float32 `(examples,)`."""
        if name not in self._scores:
            raise unknown("score in this table", name, self._scores)
        return self._scores[name]

    def higher_is_harder(self, name):
        """Returns whether a higher value of the score `name` means a harder example.

        Raises:
            InputError: if the metadata do not record it.
        """
        recorded = self.metadata.get("scores", {}).get(name, {})
        if "higher_is_harder" not in recorded:
            raise InputError(
                f"The direction of `{name}` is not recorded. Expected "
                f"metadata['scores']['{name}']['higher_is_harder'], True or False. "
                f"Received: {recorded}"
            )
        return bool(recorded["higher_is_harder"])

    def difficulty(self, name):
        """Returns the score `name`, oriented so that higher means harder, float32 `(examples,)`."""
        values = self[name]
        return values if self.higher_is_harder(name) else -values

    @classmethod
    def over_seeds(cls, tables):
        """Combines the scores of several probes, each over the probes that have it.

        The result is the mean, or the sum if `metadata["scores"][name]["over_seeds"]` is `"sum"`.
        Its standard error is the sample standard deviation (n - 1), divided by √n for a mean and
        multiplied by √n for a sum. The standard error of an extrapolated score measures the
        disagreement of the probes, not the error of the neighbours.

        The reliability of each score goes into the metadata. It is computed over the examples that
        are not extrapolated, because means of neighbours agree more than scores do.

        Args:
            tables: list of `ScoreTable` of the same examples, with the same of them extrapolated.

        Raises:
            InputError: if ids, labels or extrapolated examples differ between the tables.
        """
        first = tables[0]
        _require_same_examples(tables)
        # The first table that has a score describes it.
        metadata = {**first.metadata, "scores": {}, "reliability": {}}
        for table in reversed(tables):
            metadata["scores"] |= table.metadata.get("scores", {})
        # Combine each score over the tables that have it, in float64.
        scores, errors = {}, {}
        for name in dict.fromkeys(name for table in tables for name in table.names):
            values = np.stack([table[name] for table in tables if name in table.names])
            summed = metadata["scores"].get(name, {}).get("over_seeds") == "sum"
            # A sum is the mean times the number of probes, and so is its standard error.
            count = len(values) if summed else 1
            scores[name] = values.mean(axis=0, dtype=np.float64) * count
            if len(values) > 1:
                deviation = values.std(axis=0, ddof=1, dtype=np.float64)
                errors[name] = deviation / len(values) ** 0.5 * count
            metadata["reliability"][name] = reliability(values[:, ~first.extrapolated])
        return cls(first.ids, first.labels, scores, errors, metadata, first.extrapolated)

    def save(self, path, overwrite=False):
        """Writes the table as Parquet, with the columns `id`, `label`, the scores, `<score>_se`.

        If some scores are extrapolated, the last column is `extrapolated`.

        Args:
            path: path of the file.
            overwrite: boolean, whether to replace an existing file.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        with new_file(path, overwrite) as partial:
            parquet.write(partial, KIND, self._as_columns(), self.metadata)

    @classmethod
    def load(cls, path):
        """Reads a table that `save` wrote.

        Raises:
            InputError: if the file is missing, truncated or another kind of file.
        """
        require_path("path", path)
        columns, metadata = parquet.read(path, KIND)
        # Take the columns that are no scores first.
        ids, labels = columns.pop("id"), columns.pop("label")
        extrapolated = columns.pop("extrapolated", None)
        # Files without the entry `scores` in their metadata name the scores by their columns only.
        names = metadata.get("scores") or [name for name in columns if not name.endswith("_se")]
        missing = [name for name in names if name not in columns]
        if missing:
            raise InputError(
                f"Invalid score table {path}. Expected the columns {missing}. "
                f"Received: {list(columns)}"
            )
        scores = {name: columns[name] for name in columns if name in names}
        errors = {name: columns[f"{name}_se"] for name in scores if f"{name}_se" in columns}
        return cls(ids, labels, scores, errors, metadata, extrapolated)

    def to_csv(self, path, overwrite=False):
        """Writes the same columns as CSV.

        Args:
            path: path of the file.
            overwrite: boolean, whether to replace an existing file.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        columns = self._as_columns()
        with new_file(path, overwrite) as partial, open(partial, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    def _as_columns(self):
        """Returns all columns of a file, in order."""
        errors = {f"{name}_se": values for name, values in self.standard_errors.items()}
        # Without extrapolated scores, the files of all versions have the same columns.
        marked = {"extrapolated": self.extrapolated} if self.extrapolated.any() else {}
        return {"id": self.ids, "label": self.labels, **self._scores, **errors, **marked}


def _require_same_examples(tables):
    """Raises an `InputError` unless the tables have the same examples, alike extrapolated."""
    first = tables[0]
    for table in tables[1:]:
        same = np.array_equal(table.ids, first.ids)
        if not (same and np.array_equal(table.labels, first.labels)):
            raise InputError(
                "The tables are about different examples. Expected the same ids and labels in the "
                f"same order. Received: tables of {len(first)} and {len(table)} examples that "
                "differ"
            )
        if not np.array_equal(table.extrapolated, first.extrapolated):
            raise InputError(
                "The tables extrapolate different examples. Expected the same examples to be "
                f"extrapolated. Received: {first.extrapolated.sum()} and "
                f"{table.extrapolated.sum()} extrapolated examples that differ"
            )


def _columns(columns, length):
    """Returns the columns as float32, checked for their length and for finite values."""
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
