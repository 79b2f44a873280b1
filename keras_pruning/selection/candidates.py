"""The examples that a policy chooses among."""

from dataclasses import dataclass

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
    """

    count: int
    arrays: dict

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

        The vectors of these examples are read into memory if the embedding is a memory map.

        Args:
            rows: integers `(rows,)`.
        """
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        return Candidates(len(rows), arrays)

    def _array(self, name):
        if name not in self.arrays:
            raise InputError(
                f"The policy reads `{name}` of its candidates without declaring it. "
                f"Expected {name!r} in its `needs`. Received: needs={tuple(self.arrays)}"
            )
        return self.arrays[name]
