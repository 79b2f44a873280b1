"""Scores the examples of a plan and writes the score table."""

import logging
import time
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs.local import run_each
from keras_pruning.jobs.tasks import Item
from keras_pruning.probing import finished_scores
from keras_pruning.probing.cost import total_cost
from keras_pruning.probing.estimates import over_probes
from keras_pruning.probing.finished_scores import SCORES
from keras_pruning.probing.part_files import PartFiles
from keras_pruning.probing.probe_files import FOLDER, ProbeFiles
from keras_pruning.probing.probes import probe_tables
from keras_pruning.recipes import require_same_recipe
from keras_pruning.storage import require_writable
from keras_pruning.storage.unfinished import read_identity
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")


def score(plan, output):
    """Scores examples, with probes or with saved checkpoints.

    A score table that is there already is reused if it has the same recipe. Each probe is a file
    below `probes` until all are finished, so that an interrupted scoring goes on with the others.

    Args:
        plan: `ScoringPlan`.
        output: folder for `scores.parquet`, `scores.csv`, `scoring.json`, the cost, and the
            event file `prediction_depth/…`, the curves of the first probe with that score.

    Returns:
        `ScoreTable`.

    Raises:
        InputError: if the output holds other scores, or the plan does not fit the data.
    """
    output = Path(output)
    table = find_scores(plan, output)
    files = ProbeFiles.of(plan, output / FOLDER)
    if table is not None:
        logger.info("Reused %s: it has the same recipe.", output / SCORES)
    else:
        table = _new_scores(plan, output, files)
    # Here too, because a process can be killed after it has written the table.
    with plan.tasks.alone(output / SCORES):
        PartFiles(files.folder, plan.recipe).clear()
        files.clear()
        finished_scores.clear(files.folder, output)
    return table


def _new_scores(plan, output, files):
    """Scores examples and writes all files, or reads those of a process that was faster."""
    start = time.perf_counter()
    try:
        scored, parts = None, None
        # Several tasks divide the probes or the examples among them. One of them does the rest.
        if not finished_scores.is_prepared(files.folder, plan.recipe):
            if not plan.checkpoints:
                scored = _score_probes(plan, files, output)
            elif plan.tasks.are_shared:
                parts = _score_parts(plan, files, output)
        with plan.tasks.alone(output / SCORES):
            if plan.tasks.are_shared and (output / SCORES).exists():
                return find_scores(plan, output)
            if not finished_scores.is_prepared(files.folder, plan.recipe):
                if plan.checkpoints:
                    scored = _score_checkpoints(plan, files, parts)
                elif scored is None:
                    scored = _score_probes(plan, files, output)
                _prepare(plan, files, *scored, _seconds(plan, scored[1], start))
            finished_scores.place(files.folder, output)
    except (InputError, FileNotFoundError):
        # Another process that has finished the same scores removes the probes.
        if not (output / SCORES).exists():
            raise
        logger.info("Reused %s: another process wrote it meanwhile.", output / SCORES)
    return find_scores(plan, output)


def _seconds(plan, costs, start):
    """Returns the seconds that the scoring took, of all processes and tasks that had a part in it.

    Args:
        plan: `ScoringPlan`.
        costs: list of the costs of all probes or parts.
        start: when this process began.
    """
    of_all = sum(cost.get("seconds", 0) for cost in costs) / plan.jobs
    return max(of_all, time.perf_counter() - start)


def _prepare(plan, files, tables, costs, seconds):
    """Prepares the files of the result.

    Args:
        plan: `ScoringPlan`.
        files: `ProbeFiles`.
        tables, costs: as `keras_pruning.probing.probes.probe_tables` returns them.
        seconds: seconds that the scoring took.
    """
    if plan.data.fraction < 1:
        table = over_probes(tables, plan.data.fraction, plan.data.seed)
    else:
        table = ScoreTable.over_seeds(tables)
    table.metadata["recipe"] = plan.recipe
    cost = total_cost(costs, seconds)
    # Checkpoints come trained: they are no probes.
    cost["probes"] = [] if plan.checkpoints else costs
    finished_scores.prepare(files.folder, table, cost)


def find_scores(plan, output):
    """Reads the scores that lie in `output` already.

    Args:
        plan: `ScoringPlan`.
        output: folder that `score` writes to.

    Returns:
        `ScoreTable`, or `None` if there is none.

    Raises:
        InputError: if the output holds other scores, or something in the way of new ones.
    """
    # Computed before any probe trains: files that change later do not belong to this result.
    recipe = plan.recipe
    nearest = next((path for path in (output, *output.parents) if path.exists()), output.parent)
    if nearest.exists() and not nearest.is_dir():
        raise InputError(f"Expected a folder as --output. Received: the file {nearest}")
    if (output / SCORES).exists():
        table = ScoreTable.load(output / SCORES)
        require_same_recipe(output / SCORES, table.metadata.get("recipe"), recipe)
        return table
    try:
        _require_place(plan, output)
    except (InputError, FileNotFoundError):
        # Another process may place its scores, and remove the probes, at this moment
        if not (output / SCORES).exists():
            raise
        return find_scores(plan, output)
    return None


def _require_place(plan, output):
    """Raises an `InputError` if a folder without a table cannot get one."""
    # Without a table, go on with what an interrupted scoring of the same recipe has left
    folder = output / FOLDER
    files = ProbeFiles.of(plan, folder)
    files.require_same_recipe()
    unfinished = read_identity(files.unfinished)
    if unfinished is not None:
        require_same_recipe(files.unfinished, unfinished, plan.recipe)
    PartFiles(folder, plan.recipe).require_same_recipe()
    finished_scores.is_prepared(folder, plan.recipe)
    finished_scores.require_free(folder, output)
    for name in (SCORES, finished_scores.CSV, finished_scores.COST):
        require_writable(output / name)
    for name in (FOLDER, finished_scores.DEPTH):
        require_writable(output / name / "new")


def _score_checkpoints(plan, files, parts=None):
    """Scores with saved models, or puts the finished `parts` of such a scoring together."""
    if parts is not None:
        call = {"plan": plan, "files": PartFiles(files.folder, plan.recipe), "names": parts}
        ((table, costs),) = _in_child(plan, "shards:merged", call)
        return [table], costs
    _tell_checkpoints(plan)
    call = {"plan": plan, "path": files.unfinished}
    ((table, cost),) = _in_child(plan, "work:score_with_checkpoints", call)
    return [table], [cost]


def _score_parts(plan, files, output):
    """Scores the parts of a scoring with saved models that no other task scores.

    Returns:
        The names of all parts.
    """
    _tell_checkpoints(plan)
    files = PartFiles(files.folder, plan.recipe)
    call = {"plan": plan, "shards": plan.tasks.number}
    (names,) = _in_child(plan, "shards:part_names", call)
    items = [
        Item(
            files.path(name),
            {"plan": plan, "files": files, "name": name},
            lambda name=name: files.has(name) or (output / SCORES).exists(),
        )
        for name in names
    ]
    calls = plan.tasks.calls(items, "part")
    function = "keras_pruning.probing.shards:score_part"
    for _ in run_each(function, calls, 1, plan.threads, "part"):
        pass
    return names


def _in_child(plan, name, call):
    """Returns the results of one function of this room, called once in a child process."""
    return run_each(f"keras_pruning.probing.{name}", [call], 1, plan.threads, "scoring")


def _tell_checkpoints(plan):
    names = ", ".join(Path(path).name for path in plan.checkpoints)
    logger.info("Scoring with these checkpoints, the oldest first: %s.", names)


def _score_probes(plan, files, output):
    result = output / SCORES
    if all(map(files.has, plan.scores_of_each_seed)):
        return probe_tables(plan, files, result=result)
    function = "keras_pruning.probing.work:check_scores"
    (probes,) = run_each(function, [{"plan": plan}], 1, plan.threads, "check")
    logger.info("Training and scoring, probes: %d, at a time: %d.", probes, plan.jobs)
    return probe_tables(plan, files, result=result)
