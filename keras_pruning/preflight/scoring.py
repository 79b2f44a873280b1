"""The forecast of a scoring."""

import time
from pathlib import Path

from keras_pruning.examples.array_spec import described, leaves
from keras_pruning.jobs.local import run_each
from keras_pruning.preflight.forecast import Disk, Forecast, Memory, Row, merged
from keras_pruning.preflight.lines import together
from keras_pruning.preflight.shared_work import jobs_here, notes, notes_on_parts
from keras_pruning.probing import finished_scores
from keras_pruning.probing.probe_files import FOLDER, ProbeFiles
from keras_pruning.probing.scoring import find_scores

# Bytes of a number in a CSV file, and of a page with its pictures.
_IN_CSV, _PAGE = 12, 2**20


def forecast_scoring(plans, outputs):
    """Returns the `Forecast` of `score`. Measures a few examples, and writes nothing.

    Args:
        plans: list of `ScoringPlan` that differ in their examples only.
        outputs: list of the folder of the scores of each.

    Raises:
        InputError: as `score` does before it trains.
    """
    missing = [_missing(*pair) for pair in zip(plans, map(Path, outputs), strict=True)]
    places = [place for place, seeds in enumerate(missing) if seeds]
    # The largest data are measured, and the others follow from them.
    places.sort(key=lambda place: -len(plans[place].data.all))
    results = []
    start = time.perf_counter()
    if places:
        first = plans[places[0]]
        here = jobs_here(first.backend, max(_jobs(first, missing[place]) for place in places))
        call = {
            "plans": [plans[place] for place in places],
            "seeds": [missing[place] for place in places],
        }
        function = "keras_pruning.preflight.work:measure_scoring"
        # As many at the same time as will work here, because they slow each other down
        results = list(run_each(function, [call] * here, here, first.threads, "measurement"))
    whole = Forecast(measured=time.perf_counter() - start)
    for place, (plan, output) in enumerate(zip(plans, outputs, strict=True)):
        if missing[place]:
            found = [result[places.index(place)] for result in results]
            whole.add(_forecast(plan, Path(output), missing[place], found))
        else:
            whole.rows.append(Row(_what(plan), 0, _units(plan)))
        whole.reads += reads(plan)
    whole.rows = merged(whole.rows)
    return whole


def _missing(plan, output):
    """Returns the seeds of the probes that are not finished, `[None]` for checkpoints."""
    table = find_scores(plan, output)
    files = ProbeFiles.of(plan, output / FOLDER)
    if table is not None or finished_scores.is_prepared(files.folder, plan.recipe):
        return []
    if plan.checkpoints:
        return [None]
    return [seed for seed in sorted(plan.scores_of_each_seed) if not files.has(seed)]


def _jobs(plan, missing):
    return min(plan.jobs, len(missing))


def _forecast(plan, output, missing, results):
    """Returns the `Forecast` of the probes that are not finished, from their measurements."""
    jobs = _jobs(plan, missing)
    here = jobs_here(plan.backend, jobs)
    number = len(plan.checkpoints or missing)
    works = results[0]["works"]
    seconds = [
        sum(result["works"][place]["seconds"] for result in results) / len(results)
        for place in range(len(works))
    ]
    passed = [
        work["examples_seen"] + work["examples_forward"] + work["examples_with_gradients"]
        for work in works
    ]
    flops = [work["flops"] for work in works]
    row = Row(
        _what(plan),
        number,
        _units(plan) - number,
        sum(passed),
        None if None in flops else sum(flops),
        together(seconds, jobs),
    )
    return Forecast(
        notes=notes(plan.backend, plan.tasks) + notes_on_parts(plan, output),
        rows=[row],
        memories=[_memory(plan, results, here)],
        disk=_disk(plan, results[0], jobs, here),
        server=max(result["server"] for result in results),
        server_seconds=min(result["server_seconds"] for result in results),
        # A child process checks the scores first.
        other_seconds=0.0 if plan.checkpoints else results[0]["checking"],
    )


def reads(plan):
    """Returns a sentence on the data of a scoring, in a list."""
    data = plan.data
    examples = data.all
    spec = examples.spec
    size = sum(_bytes(leaf) for leaf in leaves(spec)) * len(examples)
    part = "" if data.fraction == 1 else f", of which {len(data.trained_on):,} are scored"
    return [
        f"Reads {len(examples):,} {examples.split} examples of {plan.settings['dataset']['name']}"
        f"{part}: {described(spec)}, {size / 2**20:,.1f} MiB as batches have them."
    ]


def _bytes(leaf):
    """Returns the bytes of one example, 8 for each number or text of a size that is not known."""
    count = 1
    for length in leaf.shape:
        count *= length or 1
    return count * {"float32": 4, "int32": 4, "float16": 2, "uint8": 1}.get(leaf.dtype, 8)


def _what(plan):
    return "checkpoints to score with" if plan.checkpoints else "probes"


def _units(plan):
    return len(plan.checkpoints or plan.scores_of_each_seed)


def _memory(plan, results, here):
    extra = [
        result["peak"] - result["resident"] + result["embedded"] + result["values"]
        for result in results
    ]
    key = None if plan.checkpoints else "probe.jobs"
    return Memory(max(extra), here, key, "probe.scoring_batch_size and training.batch_size")


def _disk(plan, result, jobs, here):
    """Returns the `Disk` of the table, the page and the files of unfinished probes."""
    examples, scores = plan.data.all, len(plan.entries)
    count, columns = len(examples), scores * (2 if _units(plan) > 1 else 1)
    ids = sum(map(len, map(str, examples.ids[:1000]))) / min(1000, count)
    table = count * (ids + 8 + 4 * columns)
    kept = table + count * (ids + 8 + _IN_CSV * columns) + _PAGE
    # The prepared files are copied, so both are there for a moment.
    unfinished = kept + _units(plan) * table + 2 * jobs * result["checkpoint_bytes"]
    unfinished += jobs * (result["checkpoints"] + result["values"])
    return Disk(round(kept), 0, round(unfinished), here * result["embedded_files"])
