"""From difficulty to the examples that are kept."""

import numpy as np

from keras_pruning.arguments import require_seed
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.fractions import keep_count
from keras_pruning.selection import quotas
from keras_pruning.selection.policy import Policy
from keras_pruning.selection.random import Random
from keras_pruning.selection.ranking import Easiest, Hardest
from keras_pruning.selection.subset import Subset

POLICIES = {
    "hardest": Hardest,
    "easiest": Easiest,
    "random": Random,
}


def get(policy):
    """The policy called `policy`, or `policy` itself.

    Raises:
        InputError: if there is no such policy.
    """
    if isinstance(policy, Policy):
        return policy
    if not isinstance(policy, str) or policy not in POLICIES:
        raise unknown("policy", policy, POLICIES)
    return POLICIES[policy]()


def select(table, by=None, keep_fraction=0.5, policy="hardest", quota=None, seed=0):
    """Selects the examples to keep.

    Args:
        table: `ScoreTable`.
        by: name of a score in the table; `None` for policies that need none.
        keep_fraction: float in (0, 1]; exactly round-half-up(keep_fraction · N) are kept.
        policy: name or `Policy`: `"hardest"`, `"easiest"`, `"random"`.
        quota: `None`, or `"balanced"` for an equal share of every class, a class too short for
            its share giving the rest to the others.
        seed: integer that breaks ties and draws; the same seed selects the same examples.

    Returns:
        A `Subset` in the order of `table.ids`.

    Raises:
        InputError: if an argument is invalid, the score is not in the table, or nothing is kept.
    """
    if not hasattr(table, "difficulty"):
        raise InputError(
            f"Invalid `table`. Expected a ScoreTable. Received: {type(table).__name__}. "
            "Read a file with ScoreTable.load."
        )
    policy = get(policy)
    total = keep_count(keep_fraction, len(table))
    require_seed(seed)
    difficulty = table.difficulty(by) if by is not None else None
    policy.require_difficulty(difficulty)
    mask = choose(policy, difficulty, table.labels, total, quotas.get(quota), seed)
    selection = {
        "by": by if policy.needs_difficulty else None,
        "policy": policy.name,
        "quota": quota,
        "keep_fraction": float(keep_fraction),
        "kept": total,
        "seed": int(seed),
        "extrapolated": bool(policy.needs_difficulty and table.extrapolated.any()),
    }
    return Subset(table.ids, table.labels, mask, {**table.metadata, "selection": selection})


def choose(policy, difficulty, labels, total, quota, seed):
    """The mask of `total` examples that `policy` keeps under a quota function.

    Args:
        policy: `Policy`.
        difficulty: floats `(examples,)`, or `None` if the policy needs none.
        labels: integers `(examples,)`.
        total: how many to keep.
        quota: function of `keras_pruning.selection.quotas`, or `None`.
        seed: integer.

    Returns:
        Booleans `(examples,)`.
    """
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(labels), bool)
    if difficulty is None:
        difficulty = np.zeros(len(labels))
    groups = [(np.arange(len(labels)), total)]
    if quota is not None:
        counts = quota(np.bincount(labels), total, rng)
        groups = [(np.flatnonzero(labels == label), count) for label, count in enumerate(counts)]
    for rows, count in groups:
        mask[rows[policy.choose(difficulty[rows], count, rng)]] = True
    return mask
