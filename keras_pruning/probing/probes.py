"""Probes: the models that examples are scored with, one for each seed, each in its own process."""

import logging

from keras_pruning.jobs.local import progress, run_each
from keras_pruning.jobs.ray_jobs import workers_of
from keras_pruning.jobs.tasks import Item

logger = logging.getLogger("keras_pruning")


def probe_tables(plan, files, extra=(), result=None):
    """Trains the probes of a plan and takes their scores.

    Probes that are finished already are reused.

    Args:
        plan: `ScoringPlan`.
        files: `ProbeFiles` that keep each probe as soon as it is finished.
        extra: list of pairs of `"package.module:Class"`, a `Score` that every probe takes besides
            those of the plan, and a dictionary of its arguments.
        result: path of the file that the probes are for, or `None`. Another task that has written
            it removes the probes.

    Returns:
        Tuple of two lists in the order of the seeds: a `ScoreTable`, or a
        `keras_pruning.probing.estimates.Extrapolation` if a part is scored, and a dictionary of
        the cost of each probe.
    """
    seeds = sorted(plan.scores_of_each_seed)
    missing = [seed for seed in seeds if not files.has(seed)]
    if len(missing) < len(seeds):
        number = len(seeds) - len(missing)
        logger.info("Reused finished probes: %d. They have the same recipe.", number)
    verbose = progress(len(missing))
    items = [
        Item(
            files.path(seed),
            {"files": files, "plan": plan, "seed": seed, "extra": tuple(extra), "verbose": verbose},
            lambda seed=seed: files.has(seed) or (result is not None and result.exists()),
        )
        for seed in missing
    ]
    function = "keras_pruning.probing.work:keep_probe"
    calls = plan.tasks.calls(items, "probe")
    workers = None
    if missing:
        workers = workers_of(plan.backend, files.folder, plan.threads, "probe.threads")
    for _ in run_each(function, calls, plan.jobs, plan.threads, "probe", workers=workers):
        pass
    # From the files, so that reused and new probes come in the same way.
    tables, costs = zip(*[files.read(seed) for seed in seeds], strict=True)
    return list(tables), list(costs)
