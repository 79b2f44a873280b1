"""The runs of a sweep that prune while training, and those of their baselines."""

from keras_pruning.comparison.grid import seeds_of
from keras_pruning.comparison.shares import missing_baselines, seen_share, trained_share
from keras_pruning.entries import dynamic_methods
from keras_pruning.selection.dynamic_methods import DYNAMIC_BASELINES
from keras_pruning.selection.methods import dynamic_name
from keras_pruning.storage import read_json
from keras_pruning.training.run import METRICS, TrainingRun, require_dynamic, run_folder


def method_runs(plan, training, folder):
    """Returns the runs of the dynamic methods that a sweep lists, on one data fraction.

    Args:
        plan: `keras_pruning.comparison.sweep.SweepPlan`.
        training: `TrainingPlan` of the data fraction.
        folder: folder of its runs.
    """
    return runs_of(dynamic_methods(plan.grid.methods), plan, training, folder)


def baseline_runs(plan, training, folder):
    """Returns the runs of the baselines, at the shares of examples that the methods saw.

    Baselines of an earlier sweep serve again if their share is near.

    Args:
        plan, training, folder: as for `method_runs`, all of whose runs have been tried.
    """
    entries = dynamic_methods(plan.grid.methods)
    shares = finished_shares(plan, training, folder)
    return runs_of(missing_baselines(entries, shares), plan, training, folder)


def finished_shares(plan, training, folder):
    """Returns the share that each dynamic method saw, `None` for one without a finished run.

    Args:
        plan, training, folder: as for `method_runs`.
    """
    shares, trained = [], _trained_shares(folder)
    for entry in dynamic_methods(plan.grid.methods):
        tried = runs_of([entry], plan, training, folder)
        paths = [run.folder / METRICS for run in tried]
        finished = [read_json(path) for path in paths if path.exists()]
        shares.append(seen_share(entry, finished, trained) if finished else None)
    return shares


def require_methods(plan, training, folder):
    """Raises an `InputError` if a listed dynamic method is invalid, before anything is trained.

    Args:
        plan, training, folder: as for `method_runs`.
    """
    runs = method_runs(plan, training, folder)
    to_do = {dynamic_name(run.dynamic): run.dynamic for run in runs if not run.is_finished()}
    require_dynamic(training, list(to_do.values()))


def _trained_shares(folder):
    """Returns the set of the shares of the baselines that have a finished run in a folder."""
    paths = [path for kind in DYNAMIC_BASELINES for path in folder.glob(f"{kind}*/*/*/{METRICS}")]
    # One run of each method is enough
    first = {path.parents[2]: path for path in paths}
    entries = [read_json(path)["config"]["training"]["dynamic"] for path in first.values()]
    return {trained_share(entry) for entry in entries}


def runs_of(entries, plan, training, folder):
    """Returns the runs of dynamic entries on one data fraction, one for each of their seeds.

    Args:
        entries: list of dynamic entries.
        plan, training, folder: as for `method_runs`.
    """
    return [
        TrainingRun(training, None, seed, folder / run_folder(None, seed, entry), dynamic=entry)
        for entry in entries
        for seed in dict.fromkeys(seeds_of(entry, plan.seeds, plan.baseline_seeds))
    ]
