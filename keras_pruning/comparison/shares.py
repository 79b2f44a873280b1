"""The share of examples that dynamic methods saw, and the baselines that belong to it."""

import numpy as np

from keras_pruning.selection.dynamic_methods import DEFAULTS, DYNAMIC_BASELINES, measured_against
from keras_pruning.selection.methods import dynamic_entry

# Shares of baselines are multiples of it. A baseline serves methods of shares that are so near.
STEP = 0.005
_DECIMALS = 3
# An upper bound of rounding errors of shares.
_ROUNDING = 1e-9


def is_dynamic_baseline(run):
    """Returns whether a `Run` is one that other dynamic methods are measured against."""
    return run.metrics["selection"] is None and _kind(run.dynamic) in DYNAMIC_BASELINES


def trained_share(entry):
    """Returns the share that a baseline sees, its option `f`.

    Args:
        entry: the dynamic entry of a baseline.
    """
    return float(entry.get("f", DEFAULTS[entry["name"]]["f"]))


def seen_share(entry, runs, trained=()):
    """Returns the share of examples that a dynamic method saw, of those that all epochs have.

    It is a mean over the runs, to half a percent, so that the method is compared with baselines of
    that share. A baseline that is trained already is kept although another seed moves the mean by
    a little: its share takes the place of the mean if it is no further away.

    Args:
        entry: the dynamic entry of the method.
        runs: list of the `metrics.json` of its finished runs on one data fraction.
        trained: shares of the baselines that are trained on this data fraction.

    Returns:
        Float in (0, 1]. The option `f` of a baseline.
    """
    if _kind(entry) in DYNAMIC_BASELINES:
        return trained_share(entry)
    shares = [
        run["examples_seen"] / (run["config"]["training"]["epochs"] * run["examples_kept"])
        for run in runs
    ]
    mean = float(np.mean(shares))
    near = [share for share in trained if abs(share - mean) <= STEP + _ROUNDING]
    if near:
        return min(near, key=lambda share: (abs(share - mean), share))
    return rounded_share(entry, mean)


def rounded_share(entry, share):
    """Returns the share of a dynamic method as its baselines have it, to half a percent.

    Args:
        entry: the dynamic entry of the method. Baselines keep their own.
        share: float in (0, 1].
    """
    if _kind(entry) in DYNAMIC_BASELINES:
        return trained_share(entry)
    # A share of an extremely strong method is still above 0.
    return max(round(round(share / STEP) * STEP, _DECIMALS), 10.0**-_DECIMALS)


def missing_baselines(entries, shares):
    """Returns the baselines that dynamic methods still need, as dynamic entries.

    Each needs those that it is measured against, at its own share. One that is listed itself, or
    that another method of the same share needs, is not repeated.

    Args:
        entries: list of the dynamic entries of a sweep.
        shares: list of their shares, `None` for one without a finished run.
    """
    present = {(_kind(entry), share) for entry, share in zip(entries, shares, strict=True)}
    added = []
    for entry, share in zip(entries, shares, strict=True):
        for kind in measured_against(_kind(entry)) if share is not None else ():
            if (kind, share) not in present:
                present.add((kind, share))
                added.append(dynamic_entry({"name": kind, "f": share}))
    return added


def _kind(entry):
    """Returns the name of a dynamic entry without its options, `None` for `None`."""
    return None if entry is None else entry["name"]
