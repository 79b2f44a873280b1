"""The table of all scores, with ids, labels and provenance, in memory and as Parquet."""

import copy
from functools import cached_property
from pathlib import Path

import numpy as np

from keras_pruning.arguments import require_path
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.ids import checked_ids
from keras_pruning.statistics.reliability import reliability
from keras_pruning.storage import new_file, require_name
from keras_pruning.storage.csv_files import write_columns
from keras_pruning.tables import columns as checks
from keras_pruning.tables import parquet
from keras_pruning.tables.combined import combined
from keras_pruning.tables.data_frames import data_frame
from keras_pruning.tables.importers import read_scores
from keras_pruning.tables.metadata import require_directions, require_metadata
from keras_pruning.tables.same_examples import require_same_examples

KIND = "keras_pruning.scores"


class ScoreTable:
    """One column for each score, one row for each example, in the order of `examples.ids`.

    The columns are read-only, because a subset names the digest of the table it came from.

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
        InputError: if a column has another length or contains values that are not finite, if a
            score has a name that cannot be part of a path, or if the metadata have other types.
    """

    def __init__(self, ids, labels, scores, standard_errors=None, metadata=None, extrapolated=None):
        self.ids = checked_ids(ids)
        self.labels = checks.checked_labels(labels, len(self.ids))
        _require_names(scores, standard_errors or {})
        self._scores = checks.checked_scores(scores, len(self.ids))
        self.standard_errors = checks.checked_scores(standard_errors or {}, len(self.ids))
        self.metadata = dict(metadata or {})
        require_metadata(self.metadata)
        if extrapolated is None:
            extrapolated = np.zeros(len(self.ids), bool)
        self.extrapolated = checks.checked_booleans("extrapolated", extrapolated, len(self.ids))

    def __repr__(self):
        return f"<ScoreTable of {len(self)} examples: {', '.join(self.names)}>"

    @property
    def names(self):
        """Names of the scores."""
        return list(self._scores)

    # Computed once, because the columns cannot change.
    @cached_property
    def digest(self):
        """A hash over ids, labels, scores, standard errors and extrapolated examples."""
        return parquet.digest(self._as_columns())

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, name):
        """Returns the score `name` as its paper defines it, float32 `(examples,)`."""
        if name not in self._scores:
            raise unknown("score in this table", name, self._scores)
        return self._scores[name]

    @classmethod
    def from_scores(cls, ids, labels, scores, higher_is_harder):
        """Makes a table of scores that were computed elsewhere.

        Args:
            ids: unique strings or integers `(examples,)`, `None` for the positions.
            labels: integers `(examples,)`, numbers of the classes.
            scores: dictionary from names to numbers `(examples,)`, stored as float32, or to paths:
                a `.npy` file in the order of the ids, or a `.csv` file with the columns `id` and
                the name of the score, or `score`, in any order.
            higher_is_harder: dictionary from the same names to booleans, whether a higher value
                means a harder example.

        Raises:
            InputError: if a direction is missing, a value is not finite, or values and ids do not
                fit together.

        Example:
            >>> table = ScoreTable.from_scores(
            ...     examples.ids, examples.labels, {"el2n": "el2n.npy"}, {"el2n": True}
            ... )
        """
        require_directions(scores, higher_is_harder)
        ids = checked_ids(np.arange(np.size(labels)) if ids is None else ids)
        # Files are read here, because those with ids are matched by them
        values = {
            name: read_scores(source, name, ids) if isinstance(source, str | Path) else source
            for name, source in scores.items()
        }
        described = {name: {"higher_is_harder": bool(higher_is_harder[name])} for name in scores}
        return cls(ids, labels, values, metadata={"scores": described})

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
            InputError: if ids, labels, the provenance of the examples or the extrapolated examples
                differ between the tables, or if there is no table.
        """
        require_same_examples(tables)
        first = tables[0]
        # The first table that has a score describes it.
        metadata = {**first.metadata, "scores": {}, "reliability": {}}
        for table in reversed(tables):
            metadata["scores"] |= table.metadata.get("scores", {})
        scored = ~first.extrapolated
        scores, errors = {}, {}
        for name in dict.fromkeys(name for table in tables for name in table.names):
            values = np.stack([table[name] for table in tables if name in table.names])
            summed = metadata["scores"].get(name, {}).get("over_seeds") == "sum"
            scores[name], error = combined(values, summed)
            if error is not None:
                errors[name] = error
            whole = values if scored.all() else values[:, scored]
            metadata["reliability"][name] = reliability(whole)
        return first._with(scores, errors, metadata)

    def _with(self, scores, errors, metadata):
        """Returns a table of the same examples, whose ids are not checked again."""
        other = copy.copy(self)
        other.__dict__.pop("digest", None)
        _require_names(scores, errors)
        other._scores = checks.checked_scores(scores, len(self))
        other.standard_errors = checks.checked_scores(errors, len(self))
        require_metadata(metadata)
        other.metadata = metadata
        return other

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
            InputError: if the file is missing, damaged or another kind of file.
        """
        require_path("path", path)
        columns, metadata = parquet.read(path, KIND)
        with parquet.named_in_errors(path):
            require_metadata(metadata)
            missing = {"id", "label", *metadata.get("scores", {})} - columns.keys()
            if missing:
                raise InputError(
                    f"Expected the columns {sorted(missing)}. Received: {list(columns)}."
                )
            # Take the columns that are no scores first.
            ids, labels = columns.pop("id"), columns.pop("label")
            extrapolated = columns.pop("extrapolated", None)
            scores, errors = _without_errors(columns, metadata.get("scores", {}))
            return cls(ids, labels, scores, errors, metadata, extrapolated)

    def to_csv(self, path, overwrite=False):
        """Writes the same columns as CSV in UTF-8.

        An id that a spreadsheet would run as a formula gets an apostrophe at the beginning.

        Args:
            path: path of the file.
            overwrite: boolean, whether to replace an existing file.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        with new_file(path, overwrite) as partial:
            write_columns(partial, self._as_columns())

    def to_pandas(self):
        """Returns the same columns as a pandas data frame, with the ids as its index.

        Ids that are all whole numbers, such as positions, become integers.

        Raises:
            InputError: if pandas is not installed.
        """
        return data_frame(self._as_columns())

    def _as_columns(self):
        """Returns all columns of a file, in order."""
        errors = {f"{name}_se": values for name, values in self.standard_errors.items()}
        # Without extrapolated scores, the files of all versions have the same columns.
        marked = {"extrapolated": self.extrapolated} if self.extrapolated.any() else {}
        return {"id": self.ids, "label": self.labels, **self._scores, **errors, **marked}


def _require_names(scores, errors):
    """Raises an `InputError` unless the names of all columns are different and valid."""
    columns = [*checks.RESERVED, *scores, *[f"{name}_se" for name in errors]]
    for name in scores:
        require_name("score", name)
        if columns.count(name) > 1:
            raise InputError(
                f"Invalid name of a score. Expected none of {checks.RESERVED} and no `<score>_se` "
                f"of another score. Received: {name!r}. Rename the score."
            )
    if missing := [name for name in errors if name not in scores]:
        raise InputError(
            f"Invalid `standard_errors`. Expected scores of the table: {list(scores)}. "
            f"Received: {missing}"
        )


def _without_errors(columns, recorded):
    """Returns the scores and their standard errors among the columns of a file.

    Args:
        columns: dictionary of the columns.
        recorded: names of scores. A column `<score>_se` that is not among them is an error.
    """
    errors = {
        name: columns[f"{name}_se"]
        for name in columns
        if f"{name}_se" in columns and f"{name}_se" not in recorded
    }
    taken = {f"{name}_se" for name in errors}
    return {name: columns[name] for name in columns if name not in taken}, errors
