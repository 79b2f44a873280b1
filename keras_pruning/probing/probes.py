"""Probes: the models that examples are scored with, one for each seed, each in its own process."""

from keras_pruning.jobs.local import progress, run_each


def probe_tables(plan, extra=()):
    """Trains the probes of a plan and takes their scores.

    Args:
        plan: `ScoringPlan`.
        extra: list of pairs of `"package.module:Class"`, a `Score` that every probe takes besides
            those of the plan, and a dictionary of its arguments.

    Returns:
        Tuple of two lists in the order of the seeds: a `ScoreTable`, or a
        `keras_pruning.probing.estimates.Extrapolation` if a part is scored, and a dictionary of
        the cost of each probe.
    """
    verbose = progress(len(plan.scores_of_each_seed), plan.jobs)
    calls = [
        {"plan": plan, "seed": seed, "extra": tuple(extra), "verbose": verbose}
        for seed in plan.scores_of_each_seed
    ]
    function = "keras_pruning.probing.work:score_with_probe"
    probes = dict(run_each(function, calls, plan.jobs, plan.threads, "probes"))
    tables, costs = zip(*[probes[seed] for seed in sorted(probes)], strict=True)
    return list(tables), list(costs)
