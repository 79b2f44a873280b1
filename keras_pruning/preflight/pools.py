"""The pools of processes that do the runs of a sweep, one pool after the other."""

import dataclasses
from collections import Counter

from keras_pruning.preflight.forecast import Disk, Forecast, Memory, merged
from keras_pruning.preflight.lines import together
from keras_pruning.preflight.runs import BASELINES, PILOTS


def pools(parts):
    """Returns the runs that are not finished, those of each pool together.

    The pilots of each data fraction have a pool. All runs of all data fractions share the next one,
    but for the baselines of dynamic methods, which come last.

    Args:
        parts: list of the `PlannedRun` of each data fraction, a list of lists.

    Returns:
        List of lists of pairs of the position of a data fraction and a `PlannedRun`.
    """
    groups = {}
    for place, runs in enumerate(parts):
        for run in runs:
            if not run.is_finished:
                turn = {PILOTS: (0, place), BASELINES: (2, 0)}.get(run.what, (1, 0))
                groups.setdefault(turn, []).append((place, run))
    return [groups[turn] for turn in sorted(groups)]


def largest_pool(parts):
    """Returns the number of runs of the pool that has most, 0 if all are finished."""
    return max(map(len, pools(parts)), default=0)


def forecast_runs(costs, parts, jobs, here):
    """Returns the `Forecast` of the runs of a sweep.

    Args:
        costs: list of the `RunCosts` of each data fraction.
        parts: as for `pools`.
        jobs: number of runs at the same time.
        here: number of those on this machine.
    """
    rows = [
        cost.row(what, [run for run in runs if run.what == what])
        for cost, runs in zip(costs, parts, strict=True)
        for what in dict.fromkeys(run.what for run in runs)
    ]
    taken, beginning = Counter(), 0.0
    for pool in pools(parts):
        seconds = [costs[place].wall_seconds(run) for place, run in pool]
        # Each kind of run has its share of the time of the pool.
        share = together(seconds, jobs) / sum(seconds)
        for (_, run), part in zip(pool, seconds, strict=True):
            taken[run.what] += share * part
        beginning += max(costs[place].beginning_of_pool(run) for place, run in pool)
    busy = largest_pool(parts)
    disk = Disk()
    for cost, runs in zip(costs, parts, strict=True):
        disk += cost.disk([run for run in runs if not run.is_finished])
    unfinished = min(jobs, busy) * costs[0].unfinished
    return Forecast(
        rows=[dataclasses.replace(row, seconds=taken[row.what]) for row in merged(rows)],
        memories=[Memory(costs[0].extra, min(here, busy), "sweep.jobs", "training.batch_size")]
        if busy
        else [],
        disk=disk + Disk(unfinished=unfinished),
        server=costs[0].server,
        server_seconds=costs[0].server_seconds if busy else 0.0,
        other_seconds=beginning,
    )
