"""Explains a subset: its classes, their difficulty, and its overlap with other subsets."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.arguments import require_subset, require_type
from keras_pruning.errors import InputError
from keras_pruning.selection.methods import fraction_name, method_name

# Most classes in a table, those first that keep the smallest part.
CLASSES = 20


@dataclass(frozen=True)
class Overlap:
    """The examples that two subsets share.

    Args:
        name: name of the other subset.
        shared: number of examples that both keep, `None` for the expectation of a random subset.
        share: that number divided by the number of examples that the explained subset keeps.
        by_chance: the share expected of a random subset as large as the other one.
    """

    name: str
    shared: int | None
    share: float
    by_chance: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Describes a subset. `print` shows it as two tables.

    Arrays are in the order of `labels`.

    Args:
        name: name of the method and the kept fraction.
        labels: integers `(classes,)`, the classes that have examples.
        available: integers `(classes,)`, the number of examples of each class.
        kept: integers `(classes,)`, the number of kept ones.
        score: name of the score that gives the difficulty, or `None`.
        difficulty: floats `(classes,)`, the mean difficulty of all examples of a class. Higher is
            harder, also for a score that is low for hard examples. `None` without a score.
        difficulty_kept: floats `(classes,)`, the mean difficulty of the kept ones, NaN for a class
            without any. `None` without a score.
        difficulty_of_all: tuple of the mean difficulty of all examples and of the kept ones.
        overlaps: list of `Overlap`, first the expectation of a random subset.
        note: sentence that says how to get a difficulty that is missing, or an empty string.
    """

    name: str
    labels: np.ndarray
    available: np.ndarray
    kept: np.ndarray
    score: str | None
    difficulty: np.ndarray | None
    difficulty_kept: np.ndarray | None
    difficulty_of_all: tuple | None
    overlaps: list
    note: str = ""

    @property
    def kept_share(self):
        """The part of each class that is kept, floats `(classes,)`."""
        return self.kept / self.available

    def class_table(self):
        """Returns the headings and the rows of the table of classes, as lists of strings.

        The last row is of all classes.
        """
        headings = ["class", "examples", "kept", "kept share", "of data", "of kept"]
        totals = self.available.sum(), self.kept.sum()
        counts = [*zip(self.labels, self.available, self.kept, strict=True), ("all", *totals)]
        rows = [
            [f"{label}", f"{available:,}", f"{kept:,}"]
            + [f"{part:.1%}" for part in (kept / available, available / totals[0])]
            + [f"{kept / totals[1]:.1%}"]
            for label, available, kept in counts
        ]
        if self.score is not None:
            headings += [f"mean {self.score} difficulty", "of kept ones"]
            pairs = [*zip(self.difficulty, self.difficulty_kept, strict=True)]
            for row, means in zip(rows, [*pairs, self.difficulty_of_all], strict=True):
                row += ["" if np.isnan(mean) else f"{mean:.4g}" for mean in means]
        return headings, [*[rows[index] for index in self._shown()], rows[-1]]

    def overlap_table(self):
        """Returns the headings and the rows of the table of overlaps, as lists of strings."""
        rows = [
            [
                overlap.name,
                "" if overlap.shared is None else f"{overlap.shared:,}",
                f"{overlap.share:.1%}",
                f"{overlap.by_chance:.1%}",
            ]
            for overlap in self.overlaps
        ]
        return ["overlap with", "examples", "share of kept", "by chance"], rows

    def remarks(self):
        """Returns sentences on the parts that the tables leave out, a list."""
        hidden = len(self.labels) - len(self._shown())
        lines = [f"{hidden:,} classes that keep a larger part are not shown."] if hidden else []
        return [*lines, self.note] if self.note else lines

    def _shown(self):
        """Returns the positions of the classes in the table, in their order."""
        return np.sort(np.argsort(self.kept_share, kind="stable")[:CLASSES])

    def __repr__(self):
        parts = [[self.name], _aligned(*self.class_table()), _aligned(*self.overlap_table())]
        if remarks := self.remarks():
            parts.append(remarks)
        return "\n\n".join("\n".join(lines) for lines in parts)


def explain(subset, table=None, by=None, others=None):
    """Returns the `Explanation` of a subset.

    Args:
        subset: `Subset`.
        table: `ScoreTable` that the subset was selected from, for the difficulty. Defaults to the
            table that `select` got. A subset from a file has none.
        by: name of the score that gives the difficulty. Defaults to the one it was selected by.
        others: subsets of the same examples to compare with: a dictionary from names to `Subset`,
            or a list of them.

    Raises:
        InputError: if the table or a subset is about other examples, or a score is missing.
    """
    by = subset.selection["by"] if by is None else by
    table = _checked_table(subset, table)
    labels, numbers = np.unique(subset.all_labels, return_inverse=True)
    available = np.bincount(numbers)
    kept = np.bincount(numbers[subset.mask], minlength=len(labels))
    means, note = [None] * 3, ""
    if by is not None and table is not None:
        difficulty = table.difficulty(by).astype(np.float64)
        _require_same_direction(subset, table, by)
        means = _means(difficulty, numbers, available, kept, subset.mask)
    elif by is not None:
        note = "The difficulty is left out. Give `table`, the score table, to see it."
    else:
        note = "The subset was selected without a score. Give `by`, the name of one, to see it."
    return Explanation(
        name_of(subset),
        labels,
        available,
        kept,
        by if means[0] is not None else None,
        *means,
        _overlaps(subset, others),
        note,
    )


def name_of(subset):
    """Returns the name of a subset: of its method and its kept fraction."""
    selection = subset.selection
    return f"{method_name(selection)}-keep-{fraction_name(selection['keep_fraction'])}"


def _checked_table(subset, table):
    """Returns the table to explain a subset by, or `None`."""
    if table is None:
        return subset.table
    require_type("table", table, "difficulty", "a ScoreTable, as ScoreTable.load(path) returns it")
    same = len(table) == len(subset.all_ids) and np.array_equal(table.ids, subset.all_ids)
    if not (same and np.array_equal(table.labels, subset.all_labels)):
        raise InputError(
            f"The table is about other examples. Expected the {len(subset.all_ids):,} ids and "
            f"labels of the subset in their order. Received: {len(table):,} that differ"
        )
    recorded = subset.metadata.get("table")
    if recorded not in (None, table.digest):
        raise InputError(
            "The subset was selected from another score table. Expected the table with the digest "
            f"{recorded}. Received: {table.digest}. Load the scores that `prune` read."
        )
    return table


def _require_same_direction(subset, table, by):
    """Raises an `InputError` if a table turns a score around that the subset was selected by."""
    recorded = subset.metadata.get("scores", {}).get(by, {}).get("higher_is_harder")
    if recorded not in (None, table.higher_is_harder(by)):
        raise InputError(
            f"The table has another direction of `{by}`. Expected higher_is_harder={recorded}, as "
            f"the subset records it. Received: {table.higher_is_harder(by)}. Load the scores that "
            "`prune` read."
        )


def _means(difficulty, numbers, available, kept, mask):
    """Returns the mean difficulty by class, that of the kept ones, and the two over all classes."""
    sums = (
        np.bincount(numbers, difficulty),
        np.bincount(numbers[mask], difficulty[mask], minlength=len(available)),
    )
    # A class without kept examples has no mean.
    with np.errstate(invalid="ignore"):
        by_class = [total / count for total, count in zip(sums, (available, kept), strict=True)]
    return *by_class, (float(difficulty.mean()), float(difficulty[mask].mean()))


def _overlaps(subset, others):
    """Returns the overlap with a random subset, and with other ones."""
    total, kept = len(subset.mask), len(subset)
    overlaps = [Overlap("random (expected)", None, kept / total, kept / total)]
    for name, other in _named(others).items():
        if not np.array_equal(other.all_ids, subset.all_ids):
            raise InputError(
                f"The subset {name!r} is of other examples. Expected the {total:,} ids of the "
                f"explained one in their order. Received: {len(other.all_ids):,} that differ"
            )
        shared = int((subset.mask & other.mask).sum())
        overlaps.append(Overlap(name, shared, shared / kept, len(other) / total))
    return overlaps


def _named(others):
    """Returns other subsets as a dictionary from their names."""
    if isinstance(others, dict):
        named = {f"{name}": other for name, other in others.items()}
    elif isinstance(others, list | tuple):
        for other in others:
            require_subset(other)
        named = {}
        for other in others:
            name = name_of(other)
            named[f"{name} ({len(named) + 1})" if name in named else name] = other
    elif others is None:
        named = {}
    else:
        require_subset(others)
        named = {name_of(others): others}
    for other in named.values():
        require_subset(other)
    return named


def _aligned(headings, rows):
    """Returns the lines of a table of plain text, numbers aligned to the right."""
    cells = [[_printable(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in cells
    ]


def _printable(text):
    """Returns text with escapes in the place of characters that a terminal obeys."""
    return text if text.isprintable() else ascii(text)[1:-1]
