"""Lets a policy choose, under a class quota, and checks the result."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.selection.quotas.quota import PREFERRED, SIZES


def choose(policy, candidates, labels, total, quota, seed):
    """Returns the mask of the examples that a policy keeps under a class quota.

    Args:
        policy: `Policy`.
        candidates: `Candidates`, all examples.
        labels: integers `(examples,)`.
        total: number of examples to keep.
        quota: `Quota`, or `None`.
        seed: integer.

    Returns:
        Booleans `(examples,)`, `total` of them true.
    """
    # One generator for the shortlist, the quota and all classes, so that the seed fixes the subset
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(labels), bool)
    rows = _shortlist(policy, candidates, total, rng)
    if rows is None:
        mask[_chosen(policy, candidates, labels, total, quota, rng, np.bincount(labels))] = True
    else:
        sizes = np.bincount(labels)
        chosen = _chosen(policy, candidates.at(rows), labels[rows], total, quota, rng, sizes)
        mask[rows[chosen]] = True
    return mask


def _shortlist(policy, candidates, total, rng):
    """Returns the positions that the policy chooses among, ascending, or `None` for all."""
    rows = policy.shortlist(candidates, total, rng)
    if rows is None:
        return None
    rows = np.asarray(rows, dtype=np.int64)
    # Most shortlists ascend, and sorting many rows takes as long as choosing among them.
    if not _ascend(rows):
        rows = np.sort(rows)
    different = _ascend(rows)
    valid = not len(rows) or 0 <= rows[0] <= rows[-1] < len(candidates)
    if not (different and valid and len(rows) >= total):
        raise InputError(
            f"The policy {policy.name!r} has an impossible shortlist. Expected at least {total} "
            f"different positions below {len(candidates)}. Received: {len(rows)} positions"
        )
    return rows


def _ascend(rows):
    return bool((rows[1:] > rows[:-1]).all())


def _chosen(policy, candidates, labels, total, quota, rng, sizes):
    """Returns the positions to keep among the candidates, integers `(total,)`."""
    if quota is None:
        return _positions(policy, candidates, total, rng)
    # Fix the counts of all classes first, then let the policy choose within each class
    chosen = []
    counts = _class_counts(policy, candidates, labels, total, quota, rng, sizes)
    for rows, count in zip(_rows_by_class(labels, len(counts)), counts, strict=True):
        # A class number without examples has nothing to choose among.
        if len(rows):
            chosen.append(rows[_positions(policy, candidates.at(rows), count, rng)])
    return np.concatenate(chosen)


def _rows_by_class(labels, classes):
    """Returns the positions of the examples of each class, ascending, a list of arrays."""
    # NumPy sorts small integers in linear time. A search for each class would read all labels again
    order = np.argsort(labels.astype(np.min_scalar_type(classes)), kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels, minlength=classes))[:-1])


def _class_counts(policy, candidates, labels, total, quota, rng, sizes):
    """Returns the counts that a quota gives, checked to be possible and to sum to `total`."""
    available = np.bincount(labels, minlength=len(sizes))
    needed = {}
    if SIZES in quota.needs:
        needed[SIZES] = sizes.copy()
    if PREFERRED in quota.needs:
        preferred = labels[_positions(policy, candidates, total, rng)]
        needed[PREFERRED] = np.bincount(preferred, minlength=len(sizes))
    counts = np.asarray(quota.counts(available.copy(), total, rng, **needed))
    possible = counts.shape == available.shape and ((counts >= 0) & (counts <= available)).all()
    if not possible or counts.sum() != total:
        raise InputError(
            f"The quota {quota.name!r} gives impossible counts. Expected one count for each class "
            f"that sum to {total}, none above {available.tolist()}. Received: {counts.tolist()}"
        )
    return counts


def _positions(policy, candidates, count, rng):
    """Returns the positions that the policy chooses, checked to be `count` different ones."""
    positions = np.asarray(policy.choose(candidates, count, rng), dtype=np.int64)
    # A wrong count would break the contract of `keep_fraction` without any other sign.
    inside = positions[(positions >= 0) & (positions < len(candidates))]
    marked = np.zeros(len(candidates), bool)
    marked[inside] = True
    different = int(np.count_nonzero(marked))
    if not (positions.shape == (count,) and different == len(inside) == count):
        raise InputError(
            f"The policy {policy.name!r} did not choose as many examples as it should. Expected "
            f"{count} different positions below {len(candidates)}. "
            f"Received: {different} different ones of {positions.size}"
        )
    return positions
