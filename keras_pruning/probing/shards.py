"""Scoring with saved models in parts, each in a process of its own, and putting them together.

A shard is a range of rows. Scores that compare an example with all others are not divided: they are
one more part.
"""

import time

import numpy as np

from keras_pruning.models import loading
from keras_pruning.probing.checkpoints import record_checkpoints
from keras_pruning.probing.collectors.passes import Passes, passes_of
from keras_pruning.probing.cost_of_passes import cost_of
from keras_pruning.probing.extrapolation import extrapolate, require_extrapolation
from keras_pruning.probing.part_files import places_of
from keras_pruning.probing.run_table import run_metadata, warn_of_constants
from keras_pruning.probing.score_entries import without_seeds
from keras_pruning.scores import get
from keras_pruning.scores.score import EMBEDDINGS, Score
from keras_pruning.tables.score_table import ScoreTable
from keras_pruning.training.checkpoint import RunCheckpoint

_TOGETHER = "together"


def shard_rows(count, batch_size, shards):
    """Returns the rows of each shard, a list of slices.

    Shards consist of whole batches. So each example is in the same batch as without shards, and its
    scores have the same bits.

    Args:
        count: number of examples.
        batch_size: examples in a batch of the scoring passes.
        shards: number of shards. There are fewer if there are fewer batches.
    """
    batches = -(-count // batch_size)
    shards = min(shards, batches)
    edges = [number * batches // shards * batch_size for number in range(shards)]
    return [slice(*edge) for edge in zip(edges, [*edges[1:], count], strict=True)]


def part_names(plan, shards):
    """Returns the names of the parts of a scoring with saved models, a list.

    Args:
        plan: `ScoringPlan` with `checkpoints`.
        shards: number of shards.

    Raises:
        InputError: if scores have to be estimated for other examples and the last of the models
            does not show the input of its last layer.
    """
    if plan.data.extrapolates:
        require_extrapolation(loading.load(plan.checkpoints[-1]))
    divided, together = _scores(plan)
    rows = shard_rows(len(plan.data.scored), plan.batch_size, shards) if divided else []
    names = [f"shard-{number}-of-{len(rows)}" for number in range(len(rows))]
    return names + [_TOGETHER] * bool(together)


def score_part(plan, files, name):
    """Scores one part and keeps its values in a file.

    Args:
        plan: `ScoringPlan` with `checkpoints`.
        files: `PartFiles`.
        name: one of `part_names`.
    """
    unfinished = RunCheckpoint(files.checkpoint_path(name), {"recipe": files.recipe, "part": name})
    # Another process may score the same part at the same time.
    if not files.has(name):
        files.write(name, *_scored(plan, name, unfinished))
    unfinished.remove()


def merged(plan, files, names):
    """Puts the finished parts together.

    Args:
        plan: `ScoringPlan` with `checkpoints`.
        files: `PartFiles`.
        names: all of `part_names`.

    Returns:
        Tuple of the `ScoreTable` that one process would have made, or the `Extrapolation` if a part
        is scored, and a list of costs.

    Raises:
        InputError: if a part is missing, or the parts do not have each example once.
    """
    parts = [files.read(name) for name in names]
    examples, (divided, together) = plan.data.scored, _scores(plan)
    scores = {score.name: score for score in (*divided, *together)}
    values, described = {}, {}
    for name in plan.names:
        chosen = [part for part in parts if name in part[1]]
        places = places_of(examples.ids, [ids for ids, _, _ in chosen])
        values[name] = np.concatenate([columns[name] for _, columns, _ in chosen])[places]
        if scores[name] in divided:
            values[name] = scores[name].finished(values[name], examples.labels)
        run = chosen[0][2]["metadata"]
        described[name] = run["scores"][name]
    support = {"support": plan.data.trained_on.provenance} if plan.data.unseen else {}
    metadata = {"examples": examples.provenance, **support, "run": run["run"], "scores": described}
    table = ScoreTable(examples.ids, examples.labels, values, metadata=metadata)
    warn_of_constants(table)
    costs = [details["cost"] for _, _, details in parts]
    if plan.data.extrapolates:
        start, last = time.perf_counter(), loading.load(plan.checkpoints[-1])
        table = extrapolate(
            table, last, plan.data.all, seed=plan.data.seed, batch_size=plan.batch_size
        )
        passes = [Passes(forward=len(plan.data.all), searches=True)]
        costs.append(cost_of(passes, time.perf_counter() - start, last, examples.spec))
    return table, costs


def _scored(plan, name, unfinished):
    """Returns the ids, the values and the details of a part, as `PartFiles.write` takes them."""
    start = time.perf_counter()
    divided, together = _scores(plan)
    if name == _TOGETHER:
        scores, examples, support = together, plan.data.scored, plan.data.trained_on
    else:
        number, shards = map(int, name.removeprefix("shard-").split("-of-"))
        rows = shard_rows(len(plan.data.scored), plan.batch_size, shards)[number]
        scores, examples, support = divided, plan.data.scored.at(rows), None
    recorder = record_checkpoints(
        plan.checkpoints, examples, scores, plan.batch_size, support, unfinished=unfinished
    )
    is_whole = name == _TOGETHER
    values = {
        score.name: score.result() if is_whole else score.values_of_each()
        for score in recorder.scores
    }
    seconds = time.perf_counter() - start + unfinished.spent
    cost = cost_of(passes_of(recorder), seconds, loading.load(plan.checkpoints[-1]), examples.spec)
    metadata = run_metadata(recorder, recorder.scores)
    return examples.ids, values, {"metadata": metadata, "cost": cost}


def _scores(plan):
    """Returns two lists: the scores that are divided into shards, and those that are not."""
    scores = [get(without_seeds(entry)) for entry in plan.entries]
    # A `result` of the user may compare examples
    divided = [
        score
        for score in scores
        if score.signal != EMBEDDINGS and type(score).result is Score.result
    ]
    return divided, [score for score in scores if score not in divided]
