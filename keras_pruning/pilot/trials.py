"""The trials of a pilot: on each random split of the training data, the rows that policies keep."""

import contextlib
import warnings
from dataclasses import dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count, rounded_count, stratified_rows
from keras_pruning.selection import get, select
from keras_pruning.selection.policies import BASELINE
from keras_pruning.tables.score_table import ScoreTable

CANDIDATES = ("easiest", "middle", "stratified", "hardest")
# A fifth of the data is held out, of large data fewer: the pool then has nearly the whole budget.
_HELD_OUT, _MOST = 0.2, 5000
# Keeps the splits apart from everything else that a seed draws.
_STREAM = 0x70696C6F74


@dataclass(frozen=True, eq=False)
class Split:
    """One random split of the training data, and the rows that each policy keeps of its pool.

    Args:
        seed: integer, the number of the split.
        kept: dictionary from the names of policies to integers `(kept,)`.
        held_out: integers `(held_out,)`, the rows to measure the accuracy on.
        pool: number of the other rows, which policies choose among.
    """

    seed: int
    kept: dict
    held_out: np.ndarray
    pool: int

    @property
    def ratio(self):
        """Number of held-out rows divided by the number of the pool."""
        return len(self.held_out) / self.pool


def splits(table, by, keep_fraction, quota, seeds, part=1.0):
    """Returns the splits of a pilot.

    The pool is pruned to the same fraction as the data will be, so that it keeps as many examples
    as the budget but for the held-out share. Both the fraction and the number of examples decide
    which policy is best.

    Args:
        table: `ScoreTable` of the training examples.
        by: name of the score that gives the difficulty.
        keep_fraction: float in (0, 1).
        quota: as for `select`.
        seeds: list of integers, one for each split.
        part: float in (0, 1], the fraction of the data that each split draws first.

    Returns:
        List of `Split`.

    Raises:
        InputError: if there are too few examples.
    """
    names = candidates(keep_fraction)
    return [_split(table, by, keep_fraction, quota, seed, part, names) for seed in seeds]


def candidates(keep_fraction):
    """Returns the names of the policies that can keep this fraction, without the baseline."""
    return [name for name in CANDIDATES if _is_possible(name, keep_fraction)]


def held_out_count(drawn):
    """Returns how many of the examples that a split draws are held out."""
    return min(rounded_count(_HELD_OUT, drawn), _MOST)


def _split(table, by, keep_fraction, quota, seed, part, names):
    """Returns the `Split` of one seed."""
    rng = np.random.default_rng([_STREAM, seed])
    drawn = stratified_rows(table.labels, keep_count(part, len(table), "part"), rng)
    # Hold out a part with the class shares of the data
    held_out = np.zeros(len(drawn), bool)
    count = held_out_count(len(drawn))
    if count == 0 or len(drawn) - count < 2:
        raise InputError(
            "Too few examples for a pilot. Expected at least 3. "
            f"Received: {len(drawn)} of {len(table)}"
        )
    held_out[stratified_rows(table.labels[drawn], count, rng)] = True
    # Prune the others by every policy, as the data will be pruned
    pool = drawn[~held_out]
    part_of_table = _at(table, pool)
    kept = {}
    with _without_cautions():
        for name in (*names, BASELINE):
            subset = select(part_of_table, by, keep_fraction, name, quota, seed)
            kept[name] = pool[subset.mask]
    return Split(seed, kept, drawn[held_out], len(pool))


def _is_possible(name, keep_fraction):
    """Returns whether a policy can keep this fraction."""
    try:
        get(name).require_keep_fraction(keep_fraction)
    except InputError:
        return False
    return True


def _at(table, rows):
    """Returns the scores at some rows as a table."""
    scores = {name: table[name][rows] for name in table.names}
    metadata = {"scores": table.metadata.get("scores", {})}
    return ScoreTable(table.ids[rows], table.labels[rows], scores, metadata=metadata)


@contextlib.contextmanager
def _without_cautions():
    """Hides the cautions of `select`: the pilot measures the harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
