"""Near duplicates: groups of examples whose vectors have nearly the same direction."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_pruning.arguments import kind_of, require_positive_integer
from keras_pruning.backend.tensorflow.close_pairs import UnitVectors
from keras_pruning.embeddings.directions import require_threshold
from keras_pruning.embeddings.duplicate_search import DuplicateSearch
from keras_pruning.embeddings.neighbors import checked_vectors
from keras_pruning.embeddings.sources import open_array
from keras_pruning.errors import InputError

# Numbers that are checked at a time.
_BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """Groups of near duplicates, and the examples to keep of them.

    Args:
        numbers: int64 `(examples,)`, the number of the group of each example. Groups count from 0
            in the order of their first rows. An example that is near to no other is a group.
        keep: booleans `(examples,)`. No two kept examples are near.
        kept_instead: int64 `(examples,)`, the row of a kept example near to each dropped one, and
            the own row of a kept example. It is the near one with the highest priority.
        conflicting: int64 `(conflicting groups,)`, the ascending numbers of the groups with more
            than one label: a label is wrong, or the threshold is too large. `None` without labels.
        threshold: the largest 1 − cos of near examples.
    """

    numbers: np.ndarray
    keep: np.ndarray
    kept_instead: np.ndarray
    conflicting: np.ndarray | None
    threshold: float

    def __repr__(self):
        return (
            f"<NearDuplicates: {int(self.keep.sum()):,} of {len(self.keep):,} examples kept, "
            f"{len(self.largest):,} groups of several>"
        )

    @property
    def sizes(self):
        """Number of examples in each group, int64 `(groups,)`."""
        return np.bincount(self.numbers)

    @property
    def largest(self):
        """Numbers of the groups of several examples, the largest group first."""
        sizes = self.sizes
        several = np.flatnonzero(sizes > 1)
        return several[np.argsort(-sizes[several], kind="stable")]

    def rows(self, number):
        """Returns the rows of a group: each kept example, and those dropped for it behind it."""
        rows = np.flatnonzero(self.numbers == number)
        return rows[np.lexsort((~self.keep[rows], self.kept_instead[rows]))]


def near_duplicates(embedding, threshold=0.05, labels=None, priority=None, memory_limit=2**29):
    """Finds groups of near duplicates, and the examples to keep of them.

    Two examples are near if 1 − cos ≤ threshold, cos being the cosine of the angle between their
    vectors. Groups are the connected components, so that two examples of a group need not be near.
    An example is kept unless a kept example of higher priority is near. So no two kept examples are
    near, and every dropped one is near a kept one.

    The result is exact: pairs whose float32 cosine may be on the wrong side of the threshold are
    compared in float64, up to the twelfth digit and up to 1e-14, the rounding of a direction in
    float32. Zero vectors have no direction. They are near to each other and to no other vector. The
    time grows with the square of the number of examples, the memory only with their number.

    Args:
        embedding: numbers `(examples, dimensions)`, an array, a memory map, or the path of a `.npy`
            file.
        threshold: number in [0, 1). 0 finds vectors of the same direction.
        labels: integers or strings `(examples,)`, to find the groups with several labels.
        priority: numbers `(examples,)`. Examples with a higher one are kept first, and equal ones
            in the order of the rows. Defaults to the order of the rows.
        memory_limit: number of bytes for blocks of vectors. The result does not depend on it.

    Returns:
        `NearDuplicates`.

    Raises:
        InputError: if an argument is invalid or of another length, or if a vector is not finite.

    Example:
        >>> groups = kp.near_duplicates(embedding, threshold=0.02, labels=examples.labels)
        >>> groups.keep.sum(), groups.conflicting
    """
    stored = opened("embedding", embedding)
    threshold = require_threshold(threshold)
    memory_limit = require_positive_integer("memory_limit", memory_limit, or_none=False)
    labels = _of_all("labels", labels, len(stored), "biuUS")
    priority = _of_all("priority", priority, len(stored), "biuf")
    order = np.arange(len(stored))
    if priority is not None:
        # Negated as floats, because the negative of an unsigned integer is not negative.
        order = np.argsort(-priority.astype(np.float64), kind="stable")
    vectors = UnitVectors(stored, has_zeros("embedding", stored))
    roots, nearby = DuplicateSearch(vectors, order, threshold, memory_limit).run()
    # Turn positions into rows.
    numbers, kept_instead = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    numbers[order], kept_instead[order] = roots, order[nearby]
    numbers = _in_order_of_rows(numbers)
    keep = kept_instead == np.arange(len(order))
    conflicting = None if labels is None else _with_several(numbers, labels)
    return NearDuplicates(numbers, keep, kept_instead, conflicting, threshold)


def opened(name, embedding):
    """Returns the vectors of an array or a `.npy` file. Raises an `InputError` for any other.

    Args:
        name: name of the argument in messages.
        embedding: array, memory map or path.
    """
    if isinstance(embedding, str | Path):
        return open_array(embedding)
    return checked_vectors(name, embedding)


def has_zeros(name, vectors):
    """Returns whether some vector is zero. Raises an `InputError` unless all numbers are finite.

    Args:
        name: name of the argument in the message.
        vectors: numbers `(vectors, dimensions)`.
    """
    size, some = max(1, _BLOCK // vectors.shape[1]), False
    for start in range(0, len(vectors), size):
        block = np.asarray(vectors[start : start + size])
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise InputError(
                f"Invalid values in `{name}`. Expected finite numbers. Received: NaN or infinity, "
                f"first in row {start + int(np.argmin(finite))}"
            )
        some = some or not block.any(axis=1).all()
    return some


def _of_all(name, values, count, kinds):
    """Returns one value for each example as an array, or `None`.

    Raises:
        InputError: unless there are `count` values of these kinds of dtypes, none of them NaN.
    """
    if values is None:
        return None
    try:
        array = np.asarray(values)
    except ValueError:  # Entries of several lengths
        array = np.empty(0)
    is_text = array.dtype == object and all(isinstance(value, str) for value in array.flat)
    if array.shape != (count,) or not (array.dtype.kind in kinds or (is_text and "U" in kinds)):
        raise InputError(
            f"Invalid `{name}`. Expected one value for each of {count:,} examples. "
            f"Received: {kind_of(values)}"
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(
            f"Invalid `{name}`. Expected numbers. Received: NaN in row {np.isnan(array).argmax()}"
        )
    return array


def _in_order_of_rows(roots):
    """Returns group numbers that count from 0 in the order of the first row of each group."""
    _, firsts, places = np.unique(roots, return_index=True, return_inverse=True)
    numbers = np.empty(len(firsts), np.int64)
    numbers[np.argsort(firsts)] = np.arange(len(firsts))
    return numbers[places]


def _with_several(numbers, labels):
    """Returns the numbers of the groups with more than one label."""
    _, labels = np.unique(labels, return_inverse=True)
    pairs = np.unique(np.stack([numbers, labels]), axis=1)
    return np.flatnonzero(np.bincount(pairs[0]) > 1)
