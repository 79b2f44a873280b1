"""Scores the examples of a plan and writes the score table."""

import logging
import time
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.jobs.local import run_each
from keras_pruning.probing.estimates import over_probes
from keras_pruning.probing.probes import probe_tables
from keras_pruning.recipes import require_same_recipe
from keras_pruning.reports.prediction_depth import write_depth_curves
from keras_pruning.storage import new_file, require_writable, write_json
from keras_pruning.tables.score_table import ScoreTable

logger = logging.getLogger("keras_pruning")
SCORES, DEPTH = "scores.parquet", "prediction_depth"


def score(plan, output):
    """Scores examples, with probes or with saved checkpoints.

    A score table that is there already is reused if it has the same recipe.

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
    if table is not None:
        logger.info("Reused %s: it has the same recipe.", output / SCORES)
        return table
    start = time.perf_counter()
    tables, costs = _score_checkpoints(plan) if plan.checkpoints else _score_probes(plan)
    if plan.data.fraction < 1:
        table = over_probes(tables, plan.data.fraction, plan.data.seed)
    else:
        table = ScoreTable.over_seeds(tables)
    table.metadata["recipe"] = plan.recipe
    if find_scores(plan, output) is not None:
        logger.info("Reused %s: another process wrote it meanwhile.", output / SCORES)
        return table
    table.to_csv(output / "scores.csv")
    if DEPTH in table.names:
        probes = table.metadata["reliability"][DEPTH]["seeds"]
        write_depth_curves(output / DEPTH, table.metadata["scores"][DEPTH], probes)
    with new_file(output / "scoring.json") as partial:
        write_json(partial, {"seconds": time.perf_counter() - start, "probes": costs})
    # Written last: if this file exists, the other output files are complete.
    table.save(output / SCORES)
    return table


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
    for name in ("scores.csv", "scoring.json"):
        if (output / name).exists():
            raise InputError(f"{output / name} is there without {SCORES}. Remove it first.")
    for name in (SCORES, "scores.csv", "scoring.json"):
        require_writable(output / name)
    return None


def _score_checkpoints(plan):
    names = ", ".join(Path(path).name for path in plan.checkpoints)
    logger.info("Scoring with these checkpoints, the oldest first: %s.", names)
    function = "keras_pruning.probing.work:score_with_checkpoints"
    return list(run_each(function, [{"plan": plan}], 1, plan.threads, "scoring")), []


def _score_probes(plan):
    function = "keras_pruning.probing.work:check_scores"
    (probes,) = run_each(function, [{"plan": plan}], 1, plan.threads, "check")
    logger.info("Training and scoring, probes: %d, at a time: %d.", probes, plan.jobs)
    return probe_tables(plan)
