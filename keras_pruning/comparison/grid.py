"""The grid of a sweep: its methods, and the runs that it asks for."""

import itertools
import json

from keras_pruning.comparison.shares import missing_baselines
from keras_pruning.config import SweepConfig, seed_list
from keras_pruning.entries import describe, dynamic_methods, static_methods
from keras_pruning.errors import InputError
from keras_pruning.selection.dynamic_methods import DYNAMIC_BASELINES
from keras_pruning.selection.methods import (
    FULL,
    dynamic_name,
    fraction_name,
    is_baseline,
    method_name,
    run_method_name,
)
from keras_pruning.selection.policies import BASELINE

# From so many seeds on, the baselines have twice as many by default.
_ENOUGH = 8


def with_baselines(methods):
    """Returns the static methods, and before them the baseline under each of their class quotas.

    Methods that prune while training are left out: their baselines see as many examples as they
    did, which only their runs tell. A sweep of such methods alone has no static baseline.

    Args:
        methods: list of dictionaries, as in `sweep.methods`.
    """
    if methods and not static_methods(methods):
        return []
    methods, baselines = static_methods(methods), {}
    for quota in [None, *[method["quota"] for method in methods]]:
        baseline = {"by": None, "policy": BASELINE, "quota": quota, "embedding": None}
        # The name tells whether two quotas are the same: one may be spelled as a dictionary.
        baselines.setdefault(method_name(describe(baseline)), baseline)
    return [
        *baselines.values(),
        *[method for method in methods if not is_baseline(describe(method))],
    ]


def evaluation_seeds(grid, first):
    """Returns the evaluation seeds of a sweep.

    Every method is compared with random pruning, so that more seeds of it show more of each. With
    few seeds, unequal numbers would make Welch's test call too many differences.

    Args:
        grid: `SweepConfig`.
        first: the `seed` of the config.

    Returns:
        Tuple of two lists: the seeds of all methods and the full data, and those of the baselines.
    """
    seeds, baseline = seed_list(grid.seeds, first), grid.baseline_seeds
    if baseline is not None:
        return seeds, seed_list(baseline, first)
    more = len(seeds) if len(seeds) >= _ENOUGH else 0
    return seeds, [*seeds, *range(max(seeds) + 1, max(seeds) + 1 + more)]


def seeds_of(entry, seeds, baseline_seeds):
    """Returns the evaluation seeds of a dynamic entry: a baseline has more of them."""
    return baseline_seeds if entry["name"] in DYNAMIC_BASELINES else seeds


def missing_runs(runs):
    """Returns the runs that sweeps ask for by their configs and that are not finished.

    Args:
        runs: list of `keras_pruning.comparison.runs.Run`.

    Returns:
        Sorted list of tuples of data fraction, keep fraction, method and seed. Methods that prune
        while training choose from all examples: their keep fraction is 1.
    """
    configs, finished, shares = {}, set(), {}
    for run in runs:
        config = run.metrics["config"]
        # Partly estimated scores change the name of a method, and the config does not.
        selection = run.metrics["selection"]
        method = run_method_name(selection and {**selection, "extrapolated": False}, run.dynamic)
        finished.add((run.data_fraction, run.chosen_fraction, method, run.metrics["seed"]))
        shares[run.data_fraction, method] = run.keep_fraction
        if _is_swept(run):
            # The runs of a sweep share its section.
            fraction = config["dataset"]["fraction"]
            key = json.dumps([config["sweep"], config.get("seed", 0)])
            configs.setdefault(key, (config, fraction))
    asked_for = set()
    for config, fraction in configs.values():
        asked_for |= _asked_for(config, fraction, finished, shares)
    return sorted(asked_for - finished)


def _is_swept(run):
    """Returns whether the folder of a run is one of a sweep, beside its scores if it takes any."""
    section = run.metrics["config"].get("sweep")
    if not isinstance(section, dict):
        return False
    parts = [
        run.method,
        f"keep-{fraction_name(run.chosen_fraction)}",
        f"seed-{run.metrics['seed']}",
    ]
    *_, root = run.folder.resolve().parents[:3]
    # A single run of `train` lies in a folder of that name.
    is_scored = (root / "scores.parquet").exists() or (
        root.name != "train" and _takes_no_scores(section.get("methods"))
    )
    return is_scored and root.joinpath(*parts) == run.folder.resolve()


def _takes_no_scores(methods):
    """Returns whether all methods that a config lists prune while training."""
    is_list = isinstance(methods, list) and all(isinstance(method, dict) for method in methods)
    return is_list and bool(methods) and not static_methods(methods)


def _asked_for(config, fraction, finished, shares):
    """Returns the runs that the config of a run asks for, as `missing_runs` does.

    Args:
        config: the config, nested dictionaries.
        fraction: data fraction of the run.
        finished: set of the runs that are there.
        shares: dictionary from data fractions and dynamic methods to the share they saw.
    """
    try:
        # Versions before 0.6.0 trained as many seeds of the baselines as of the methods.
        section = {"baseline_seeds": config["sweep"].get("seeds"), **config["sweep"]}
        grid = SweepConfig(**section)
        methods = [describe(method) for method in with_baselines(grid.methods)]
    except (InputError, TypeError):
        return set()  # Another version wrote it.
    fractions = grid.data_fractions or [fraction]
    kept = [part for part in grid.keep_fractions if part < 1]
    seeds, baseline_seeds = evaluation_seeds(grid, config.get("seed", 0))
    runs = {(part, 1.0, FULL, seed) for part in fractions for seed in seeds}
    for part, keep_fraction, method in itertools.product(fractions, kept, methods):
        cell = (part, keep_fraction, method_name(method))
        runs |= {(*cell, seed) for seed in (baseline_seeds if is_baseline(method) else seeds)}
    for part in fractions:
        entries = dynamic_methods(grid.methods)
        listed = _dynamic_runs(part, entries, seeds, baseline_seeds)
        runs |= listed
        # The baselines are known when all others have run.
        if listed <= finished:
            known = [shares[part, dynamic_name(entry)] for entry in entries]
            added = missing_baselines(entries, known)
            runs |= _dynamic_runs(part, added, seeds, baseline_seeds)
    return runs


def _dynamic_runs(data_fraction, entries, seeds, baseline_seeds):
    """Returns the runs of dynamic entries on one data fraction, as `missing_runs` does."""
    return {
        (data_fraction, 1.0, dynamic_name(entry), seed)
        for entry in entries
        for seed in seeds_of(entry, seeds, baseline_seeds)
    }
