"""The examples that a selection keeps."""

import numbers

from keras_pruning.arguments import require_path
from keras_pruning.errors import InputError
from keras_pruning.examples.ids import checked_ids
from keras_pruning.recipes import require_same_recipe
from keras_pruning.selection.explanation import explain
from keras_pruning.storage import new_file, require_name
from keras_pruning.tables import parquet
from keras_pruning.tables.columns import checked_booleans, checked_labels
from keras_pruning.tables.metadata import require_metadata

KIND = "keras_pruning.subset"


class Subset:
    """The examples that a selection keeps, among those of a score table.

    `kept_ids` and `kept_labels` are those of the kept examples. Those of all examples have other
    names, `all_ids` and `all_labels`, so that nobody takes them for the kept ones.

    Args:
        ids: strings `(examples,)`, all examples in the order of the table.
        labels: integers `(examples,)`.
        mask: booleans `(examples,)`, true for those to keep.
        metadata: dictionary of `examples` (their provenance), `selection`, `table` (the digest of
            the score table) and the metadata of the score table.

    Attributes:
        table: the `ScoreTable` that `select` got, in memory only. It is `None` for a subset from a
            file, and in a copy for another process.

    Raises:
        InputError: if ids, labels and mask differ in length, or if the metadata have other types,
            names that cannot be part of a path, or another number of kept examples.
    """

    def __init__(self, ids, labels, mask, metadata=None):
        self._fill(checked_ids(ids), labels, mask, metadata)

    @classmethod
    def of_table(cls, table, mask, metadata):
        """Returns the subset of a table, whose ids are not checked once more.

        Args:
            table: `ScoreTable`.
            mask: booleans `(examples,)`, true for those to keep.
            metadata: as for `Subset`.
        """
        subset = cls.__new__(cls)
        subset._fill(table.ids, table.labels, mask, metadata)
        return subset

    def _fill(self, ids, labels, mask, metadata):
        self.all_ids = ids
        self.all_labels = checked_labels(labels, len(self.all_ids))
        self.mask = checked_booleans("mask", mask, len(self.all_ids))
        self.metadata = dict(metadata or {})
        self.table = None
        require_metadata(self.metadata)
        if "selection" in self.metadata:
            require_selection(self.metadata["selection"])
            self._require_count(self.metadata["selection"])

    def __repr__(self):
        method = [self.selection[name] for name in ("by", "policy", "quota")]
        name = "-".join(part for part in method if part)
        return f"<Subset of {len(self)} of {len(self.all_ids)} examples: {name}>"

    @property
    def kept_ids(self):
        """The ids to keep, strings `(kept,)`, in the order of the table."""
        return self.all_ids[self.mask]

    @property
    def kept_labels(self):
        """The labels of the examples to keep, integers `(kept,)`, in the order of the table."""
        return self.all_labels[self.mask]

    @property
    def examples(self):
        """The provenance of the examples that the subset was selected among."""
        return self.metadata.get("examples", {})

    @property
    def selection(self):
        """The way it was selected, a dictionary.

        It has the keys `by`, `policy` and `quota` (names), `policy_options`, `quota_options`,
        `keep_fraction`, `kept`, `seed`, `extrapolated` (whether scores estimated from
        neighbours took part) and `embedding` (a hash of the vectors). Files of earlier versions
        leave some out. The policy of a subset that `select` has not made is `"own"`.
        """
        unknown = {"by": None, "policy": "own", "quota": None, "seed": None, "kept": len(self)}
        unknown["keep_fraction"] = len(self) / max(1, len(self.all_ids))
        return self.metadata.get("selection", unknown)

    @property
    def digest(self):
        """A hash over the kept ids, 32 hexadecimal digits."""
        return parquet.digest({"id": self.kept_ids})

    def __getattr__(self, name):
        # Only names that are not there arrive here.
        hint = ""
        if name in ("ids", "labels"):
            hint = f". Use `kept_{name}`, or `all_{name}` for all examples"
        raise AttributeError(f"'Subset' has no attribute {name!r}{hint}")

    def __getstate__(self):
        # A training run in another process needs no scores.
        return {**self.__dict__, "table": None}

    def __len__(self):
        """Returns the number of kept examples."""
        return int(self.mask.sum())

    def explain(self, table=None, by=None, others=None):
        """Returns an `Explanation`: kept share and mean difficulty by class, and overlaps.

        Args:
            table: `ScoreTable` that the subset was selected from. Defaults to `subset.table`. A
                subset from a file needs it to show the difficulty.
            by: name of the score that gives the difficulty. Defaults to the one it was selected
                by.
            others: subsets of the same examples to compare with: a dictionary from names to
                `Subset`, or a list of them. The overlap with a random subset is always there.

        Raises:
            InputError: if the table or a subset is about other examples, or a score is missing.
        """
        return explain(self, table, by, others)

    def save(self, path, overwrite=False):
        """Writes the subset as Parquet with the columns `kept`, `id` and `label`.

        All examples are in the file, so `kept` comes first.

        Raises:
            InputError: if `path` exists and `overwrite` is false.
        """
        columns = {"kept": self.mask, "id": self.all_ids, "label": self.all_labels}
        with new_file(path, overwrite) as partial:
            parquet.write(partial, KIND, columns, self.metadata)

    @classmethod
    def load(cls, path):
        """Reads a subset that `save` wrote.

        Raises:
            InputError: if the file is missing, damaged or something else.
        """
        require_path("path", path)
        columns, metadata = parquet.read(path, KIND)
        with parquet.named_in_errors(path):
            if missing := {"id", "label", "kept"} - columns.keys():
                raise InputError(
                    f"Expected the columns {sorted(missing)}. Received: {list(columns)}."
                )
            return cls(columns["id"], columns["label"], columns["kept"], metadata)

    def require_same(self, path):
        """Raises an `InputError` unless a file holds this subset.

        Args:
            path: path of a subset file.
        """
        other = Subset.load(path)
        recorded, requested = dict(other.metadata), dict(self.metadata)
        tables = recorded.pop("table", None), requested.pop("table", None)
        require_same_recipe(path, recorded, requested)
        # Files of version 0.2.0 and earlier do not name their table.
        is_other_table = None not in tables and tables[0] != tables[1]
        if is_other_table or other.digest != self.digest:
            raise InputError(
                f"{path} holds a subset of other scores. Nothing was overwritten. Expected the "
                f"score table with the digest {tables[1]}, {len(self):,} examples. Received: a "
                f"subset of the table {tables[0] or 'unknown'}, {len(other):,} examples. "
                "Choose another --output, or remove that file yourself."
            )

    def _require_count(self, selection):
        kept = selection.get("kept", len(self))
        if kept != len(self):
            raise InputError(
                f"Invalid subset. Expected as many kept examples as `selection.kept`: {kept}. "
                f"Received: {len(self)} in the mask."
            )


def require_selection(selection):
    """Raises an `InputError` unless the entries of a selection have their types and valid names.

    Args:
        selection: the `selection` of a subset's metadata or of a `metrics.json`.
    """
    if not isinstance(selection, dict):
        raise _invalid("", selection, "a dictionary")
    for name in ("by", "policy", "quota", "keep_fraction", "seed"):
        if name not in selection:
            raise InputError(
                f"Invalid selection. Expected the entry `{name}`. Received: {list(selection)}"[:300]
            )
    for name in ("by", "policy", "quota"):
        # Only a policy is always there.
        if selection[name] is not None or name == "policy":
            require_name(f"selection (`{name}`)", selection[name])
    fraction = selection["keep_fraction"]
    if not _is_number(fraction, numbers.Real) or not 0 <= fraction <= 1:
        raise _invalid("keep_fraction", fraction, "a number in [0, 1]")
    for name in ("seed", "kept"):
        value = selection.get(name)
        if value is not None and not (_is_number(value, numbers.Integral) and value >= 0):
            raise _invalid(name, value, "an integer >= 0")
    for name in ("policy_options", "quota_options"):
        if not isinstance(selection.get(name), dict | None):
            raise _invalid(name, selection[name], "a dictionary")
    if not isinstance(selection.get("extrapolated"), bool | None):
        raise _invalid("extrapolated", selection["extrapolated"], "true or false")


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool)


def _invalid(name, value, expected):
    entry = f" `{name}`" if name else ""
    return InputError(
        f"Invalid selection{entry}. Expected {expected}. Received: {repr(value)[:80]}"
    )
