"""The share of examples that dynamic methods saw, and the baselines that belong to it."""

import numpy as np

from keras_pruning.selection.methods import DYNAMIC_BASELINES

# Decimals of a share, so that the names of its baselines are short.
_DECIMALS = 3


def is_dynamic_baseline(run):
    """Returns whether a `Run` is one that other dynamic methods are measured against."""
    return run.metrics["selection"] is None and _kind(run.dynamic) in DYNAMIC_BASELINES


def seen_share(entry, runs):
    """Returns the share of examples that a dynamic method saw, of those that all epochs have.

    Args:
        entry: the dynamic entry of the method.
        runs: list of the `metrics.json` of its finished runs on one data fraction.

    Returns:
        The option `f` of a baseline that has one. Otherwise a mean over the runs, rounded to three
        decimals.
    """
    if _kind(entry) in DYNAMIC_BASELINES and "f" in entry:
        return float(entry["f"])
    shares = [
        run["examples_seen"] / (run["config"]["training"]["epochs"] * run["examples_kept"])
        for run in runs
    ]
    # A share of an extremely strong method is still above 0.
    return max(round(float(np.mean(shares)), _DECIMALS), 10.0**-_DECIMALS)


def missing_baselines(entries, shares):
    """Returns the baselines that dynamic methods still need, as dynamic entries.

    Each needs every baseline at its own share. One that is listed itself, or that another method
    of the same share needs, is not repeated. `shortened` needs none.

    Args:
        entries: list of the dynamic entries of a sweep.
        shares: list of their shares, `None` for one without a finished run.
    """
    present = {(_kind(entry), share) for entry, share in zip(entries, shares, strict=True)}
    *_, last = DYNAMIC_BASELINES
    added = []
    for entry, share in zip(entries, shares, strict=True):
        for kind in DYNAMIC_BASELINES if share is not None and _kind(entry) != last else ():
            if (kind, share) not in present:
                present.add((kind, share))
                added.append({"name": kind, "f": share})
    return added


def _kind(entry):
    """Returns the name of a dynamic entry without its options, `None` for `None`."""
    return None if entry is None else entry["name"]
