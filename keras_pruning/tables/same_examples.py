"""Checks that score tables are about the same examples."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.recipes import completed, differing


def require_same_examples(tables):
    """Raises an `InputError` unless the tables have the same examples, alike extrapolated."""
    if not tables:
        raise InputError("Nothing to combine. Expected at least one ScoreTable. Received: none")
    first = tables[0]
    for table in tables[1:]:
        same = np.array_equal(table.ids, first.ids)
        if not (same and np.array_equal(table.labels, first.labels)):
            raise InputError(
                "The tables are about different examples. Expected the same ids and labels in the "
                f"same order. Received: tables of {len(first)} and {len(table)} examples that "
                "differ"
            )
        _require_same_provenance(first.metadata.get("examples"), table.metadata.get("examples"))
        if not np.array_equal(table.extrapolated, first.extrapolated):
            raise InputError(
                "The tables extrapolate different examples. Expected the same examples to be "
                f"extrapolated. Received: {first.extrapolated.sum()} and "
                f"{table.extrapolated.sum()} extrapolated examples that differ"
            )


def _require_same_provenance(first, other):
    """Raises an `InputError` if two tables record examples of other inputs or another source."""
    if not first or not other:
        return
    keys = differing(completed(first, "examples"), completed(other, "examples"))
    if keys:
        raise InputError(
            "The tables are about different examples. Expected the same "
            f"{', '.join(f'`{key}`' for key in keys)} in `metadata['examples']`. Received: "
            f"{', '.join(f'{first.get(key)!r} and {other.get(key)!r}' for key in keys)}. "
            "Combine only scores of the same inputs."
        )
