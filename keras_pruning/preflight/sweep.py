"""The forecast of a sweep."""

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.comparison.dynamic_runs import finished_shares, method_runs, runs_of
from keras_pruning.comparison.grid import with_baselines
from keras_pruning.comparison.pilots import pilot_path
from keras_pruning.comparison.shares import missing_baselines, rounded_share
from keras_pruning.comparison.sweep import checked, folders_of, static_runs
from keras_pruning.entries import dynamic_methods
from keras_pruning.jobs.local import run_each
from keras_pruning.preflight import runs as planned
from keras_pruning.preflight.forecast import Disk, Forecast, merged, rows_of_finished
from keras_pruning.preflight.pools import forecast_runs, largest_pool
from keras_pruning.preflight.run_costs import RunCosts
from keras_pruning.preflight.scoring import forecast_scoring, reads
from keras_pruning.preflight.shared_work import jobs_here, notes
from keras_pruning.selection import get
from keras_pruning.selection.auto import Auto
from keras_pruning.training.run import TrainingPlan

# Bytes of the files of a comparison beside its page.
_COMPARISON = 3 * 2**19


@dataclass(frozen=True)
class _Part:
    """The runs of a data fraction.

    Args:
        training: `TrainingPlan`.
        folder: folder of the runs.
        counts: list of `PlannedRun` of the pilots and on subsets and the full data.
        methods: list of `TrainingRun` of the dynamic methods.
    """

    training: TrainingPlan
    folder: Path
    counts: list
    methods: list


def forecast_sweep(plan, output):
    """Returns the `Forecast` of `sweep`. Measures a few examples, and writes nothing.

    Args:
        plan: `SweepPlan`.
        output: folder of all results.

    Raises:
        InputError: as `sweep` does before it trains.
    """
    folders = folders_of(plan, Path(output))
    embeddings, tables = checked(plan, folders)
    scores = bool(with_baselines(plan.grid.methods))
    whole = Forecast(notes=notes(plan.grid.backend, plan.parts[0][1].tasks))
    if scores:
        whole.add(forecast_scoring([scoring for scoring, _ in plan.parts], folders))
    for scoring, training in plan.parts:
        whole.reads += reads(scoring)
        test = training.data.test
        whole.reads.append(f"Evaluates on {len(test):,} {test.split} examples.")
    whole.reads = list(dict.fromkeys(whole.reads))
    parts = []
    places = zip(folders, plan.parts, embeddings, tables, strict=True)
    for folder, (_, training), opened, table in places:
        counts = planned.pilot_counts(
            plan, training, lambda method, part, at=folder: pilot_path(at, method, part).exists()
        )
        counts += _static_counts(plan, training, folder, table, opened)
        parts.append(_Part(training, folder, counts, method_runs(plan, training, folder)))
    results, here = _measured(plan, parts, whole)
    runs = [part.counts + _dynamic_counts(plan, part, results) for part in parts]
    if results:
        costs = [
            RunCosts(training, results, len(training.data.test), _is_fresh(training))
            for _, training in plan.parts
        ]
        whole.add(forecast_runs(costs, runs, plan.grid.jobs, here))
    else:
        whole.rows += rows_of_finished([run for counts in runs for run in counts])
    whole.rows = merged(whole.rows)
    whole.disk += Disk(_COMPARISON)
    return whole


def _static_counts(plan, training, folder, table, embeddings):
    """Returns the runs on the full data and on subsets. Those of a score table may be finished."""
    methods = with_baselines(plan.grid.methods)
    if table is None and methods:
        return planned.static_counts(plan, training)
    # A pilot would train. Its runs cannot be selected before, and none of them is finished.
    missing = [
        method
        for method in methods
        if isinstance(get(method["policy"]), Auto)
        and not all(
            pilot_path(folder, method, part).exists()
            for part in plan.grid.keep_fractions
            if part < 1
        )
    ]
    known = [method for method in methods if method not in missing]
    swept = _with_methods(plan, known) if methods else plan
    runs = static_runs(swept, training, folder, table, embeddings)
    counts = planned.existing_counts(runs)
    for count in planned.static_counts(_with_methods(plan, missing), training) if missing else []:
        counts += [count] * (count.what == planned.METHODS)
    return counts


def _with_methods(plan, methods):
    grid = dataclasses.replace(plan.grid)
    # The entries are checked already, and baselines stand among them.
    grid.methods = methods
    return dataclasses.replace(plan, grid=grid)


def _dynamic_counts(plan, part, results):
    """Returns the runs of dynamic methods and those of their baselines, by expected shares.

    Args:
        plan: `SweepPlan`.
        part: `_Part`.
        results: results of the measurement, `None` before it, when the shares are a guess.
    """
    entries = dynamic_methods(plan.grid.methods)
    if not entries:
        return []
    known = finished_shares(plan, part.training, part.folder)
    guess = results[0]["shares"] if results else [1.0] * len(entries)
    expected = dict(zip(map(str, entries), guess, strict=True))
    shares = [
        rounded_share(entry, expected[str(entry)]) if share is None else share
        for entry, share in zip(entries, known, strict=True)
    ]
    of_entry = dict(zip(map(str, entries), shares, strict=True))
    counts = planned.dynamic_counts(
        planned.DYNAMIC, part.methods, [of_entry[str(run.dynamic)] for run in part.methods]
    )
    missing = missing_baselines(entries, shares)
    baselines = runs_of(missing, plan, part.training, part.folder)
    shares = [run.dynamic["f"] for run in baselines]
    return counts + planned.dynamic_counts(planned.BASELINES, baselines, shares)


def _measured(plan, parts, whole):
    """Measures as many processes as will work here at a time, once for all data fractions.

    Args:
        plan: `SweepPlan`.
        parts: list of `_Part`.
        whole: `Forecast`, to which the seconds of the measurement are added.

    Returns:
        Tuple of the results, `None` if everything is finished, and the number of processes.
    """
    runs = [part.counts + _dynamic_counts(plan, part, None) for part in parts]
    here = jobs_here(plan.grid.backend, min(plan.grid.jobs, largest_pool(runs)))
    unfinished = [part for part, counts in zip(parts, runs, strict=True) if largest_pool([counts])]
    if not unfinished:
        return None, 0
    # The largest data fraction is measured, and the others follow from it.
    training = max(unfinished, key=lambda part: len(part.training.data.train)).training
    call = {"plan": training, "dynamic": dynamic_methods(plan.grid.methods)}
    function = "keras_pruning.preflight.work:measure_training"
    start = time.perf_counter()
    results = list(run_each(function, [call] * here, here, training.threads, "measurement"))
    whole.measured += time.perf_counter() - start
    return results, here


def _is_fresh(training):
    """Returns whether each run of a plan has a process of its own."""
    return training.backend == "ray" or training.recipe["model_as_built"] is not None
