"""The forecast of a sweep."""

import dataclasses
import time
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
from keras_pruning.preflight.run_costs import RunCosts
from keras_pruning.preflight.scoring import forecast_scoring, reads
from keras_pruning.selection import get
from keras_pruning.selection.auto import Auto

# Bytes of the files of a comparison beside its page.
_COMPARISON = 3 * 2**19


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
    whole = Forecast()
    for folder, (scoring, training) in zip(folders, plan.parts, strict=True):
        if scores:
            whole.add(forecast_scoring(scoring, folder))
        whole.reads += reads(scoring)
        test = training.data.test
        whole.reads.append(f"Evaluates on {len(test):,} {test.split} examples.")
    whole.reads = list(dict.fromkeys(whole.reads))
    results = None
    # The largest data fraction is measured, and the others follow from it.
    sizes = [len(training.data.train) for _, training in plan.parts]
    parts = list(zip(folders, plan.parts, embeddings, tables, strict=True))
    for place in sorted(range(len(parts)), key=lambda place: -sizes[place]):
        folder, (_, training), opened, table = parts[place]
        counts = _static_counts(plan, training, folder, table, opened)
        counts += planned.pilot_counts(
            plan, training, lambda method, part, at=folder: pilot_path(at, method, part).exists()
        )
        methods = method_runs(plan, training, folder)
        to_do = sum(not run.is_finished for run in counts)
        to_do += sum(not run.is_finished() for run in methods)
        if results is None and to_do:
            results = _measured(plan, training, min(plan.grid.jobs, to_do), whole)
        counts += _dynamic_counts(plan, training, folder, methods, results)
        if results is None and not all(run.is_finished for run in counts):
            # Baselines alone are missing, whose shares are known.
            results = _measured(plan, training, plan.grid.jobs, whole)
        if results is None:
            whole.rows += rows_of_finished(counts)
        else:
            whole.add(RunCosts(training, results, len(training.data.test)).forecast(counts))
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


def _dynamic_counts(plan, training, folder, methods, results):
    """Returns the runs of dynamic methods and those of their baselines, by expected shares."""
    entries = dynamic_methods(plan.grid.methods)
    if not entries:
        return []
    known = finished_shares(plan, training, folder)
    expected = dict(zip(map(str, entries), results[0]["shares"], strict=True)) if results else {}
    shares = [
        rounded_share(entry, expected[str(entry)]) if share is None else share
        for entry, share in zip(entries, known, strict=True)
    ]
    of_entry = dict(zip(map(str, entries), shares, strict=True))
    counts = planned.dynamic_counts(
        planned.DYNAMIC, methods, [of_entry[str(run.dynamic)] for run in methods]
    )
    baselines = runs_of(missing_baselines(entries, shares), plan, training, folder)
    shares = [run.dynamic["f"] for run in baselines]
    return counts + planned.dynamic_counts(planned.BASELINES, baselines, shares)


def _measured(plan, training, jobs, whole):
    """Returns the measurements of as many processes as will work at a time."""
    entries = dynamic_methods(plan.grid.methods)
    call = {"plan": training, "dynamic": entries}
    function = "keras_pruning.preflight.work:measure_training"
    start = time.perf_counter()
    results = list(run_each(function, [call] * jobs, jobs, training.threads, "measurement"))
    whole.measured += time.perf_counter() - start
    return results
