"""The examples that a policy chooses among."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.errors import InputError

DIFFICULTY, LABELS = "difficulty", "labels"
EMBEDDING, CONFIDENCE = "embedding", "confidence"
NEEDS = (DIFFICULTY, LABELS, EMBEDDING, CONFIDENCE)


@dataclass(frozen=True, eq=False)
class Candidates:
    """The examples that a policy chooses among, with the arrays that it needs and no others.

    Args:
        count: number of examples.
        arrays: dictionary from names in the policy's `needs` to arrays `(count, ...)`.
        rows: integers `(count,)`, the rows of the arrays that belong to the examples. Then the
            arrays may have more rows. Defaults to all.
    """

    count: int
    arrays: dict
    rows: np.ndarray | None = None

    def __len__(self):
        return self.count

    @property
    def difficulty(self):
        """Difficulty of each example, float32 `(count,)`. Higher is harder."""
        return self._array(DIFFICULTY)

    @property
    def labels(self):
        """Label of each example, integers `(count,)`."""
        return self._array(LABELS)

    @property
    def embedding(self):
        """Vector of each example, floats `(count, dimensions)`, an array or a memory map."""
        return self._array(EMBEDDING)

    @property
    def confidence(self):
        """Mean probability of the label over the epochs, float32 `(count,)`, in [0, 1]."""
        return self._array(CONFIDENCE)

    def at(self, rows):
        """Returns the candidates at some positions.

        An array of these examples is made when a policy reads it, so that the vectors of a memory
        map stay on disk until then.

        Args:
            rows: integers `(rows,)`.
        """
        return Candidates(len(rows), self.arrays, rows if self.rows is None else self.rows[rows])

    def _array(self, name):
        if name not in self.arrays:
            raise InputError(
                f"The policy reads `{name}` of its candidates without declaring it. "
                f"Expected {name!r} in its `needs`. Received: needs={tuple(self.arrays)}"
            )
        array = self.arrays[name]
        return array if self.rows is None else array[self.rows]
