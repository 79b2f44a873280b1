"""Scores of a part of the examples, carried over to the others from their nearest neighbours."""

from typing import NamedTuple

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.statistics.ranks import rank_correlation
from keras_pruning.tables.score_table import ScoreTable

NEIGHBOURS = 10
_BLOCK_BYTES = 2**28


class Carried(NamedTuple):
    """What one probe says about all examples, of which it has scored a part.

    Args:
        table: `ScoreTable` of all examples.
        held_out: `ScoreTable` of the scored examples that have a scored neighbour, each carried
            over from its neighbours as if it had not been scored itself.
    """

    table: ScoreTable
    held_out: ScoreTable


def require_extrapolation(model):
    """Raises an `InputError` unless the scores of other examples can be estimated with `model`."""
    from keras_pruning.models.graph import as_logits, require_penultimate

    require_penultimate(
        as_logits(model),
        "Neighbours are found by it. Score all examples: leave out --fraction and "
        "--extrapolate, or set probe.fraction to 1.",
    )


def carried_over(scores, vectors, labels, rows, k=NEIGHBOURS):
    """The mean score of the k nearest scored examples of the same label, never its own.

    Formula:
        ŝ_i = 1/k · Σ_{j ∈ N_k(i)} s_j,   N_k(i) the k scored j ≠ i with y_j = y_i nearest to h_i

    Distances are Euclidean. Where a class has fewer than k + 1 scored examples, k is one less than
    it has. Neighbours of other labels would tell nothing of wrong labels: most scores depend on
    the label, and what is near to a wrong one has a right one, and is easy.

    Args:
        scores: floats `(scored, scores)`.
        vectors: floats `(examples, dimensions)`, h, an array or a memory map.
        labels: integers `(examples,)`.
        rows: integers `(scored,)`, ascending, the rows that `scores` are of.
        k: number of neighbours.

    Returns:
        Floats `(examples, scores)`, for the scored examples too; NaN where a class has fewer than
        two that are scored.
    """
    from keras_pruning.embeddings.neighbors import nearest

    position = np.full(len(labels), -1)
    position[rows] = np.arange(len(rows))
    values = np.full((len(labels), scores.shape[1]), np.nan)
    block = max(1, _BLOCK_BYTES // (4 * vectors.shape[1]))
    for label in np.unique(labels):
        support = rows[labels[rows] == label]
        count = min(k, len(support) - 1)
        members = np.flatnonzero(labels == label) if count > 0 else []
        for start in range(0, len(members), block):
            own = members[start : start + block]
            found, _ = nearest(vectors[own], vectors, count, support, own)
            values[own] = scores[position[found]].mean(axis=1, dtype=np.float64)
    return values


def extrapolate(table, model, examples, k=NEIGHBOURS):
    """Carries the scores of a part of the examples over to all of them.

    The neighbours are those in the input of the last layer of `model`, exact and in eval mode.

    Args:
        table: `ScoreTable` of the part.
        model: Keras model that passes `require_extrapolation`.
        examples: `Examples`, all of them.
        k: number of neighbours, as in `carried_over`.

    Returns:
        `Carried`. Scored examples keep their scores to the last bit.

    Raises:
        InputError: if the scored examples are not among `examples`, in their order.
    """
    from keras_pruning.embeddings.layers import PENULTIMATE, Embedding, embeddings
    from keras_pruning.models.graph import as_logits

    is_scored = np.isin(examples.ids, table.ids)
    rows, names = np.flatnonzero(is_scored), table.names
    if not np.array_equal(examples.ids[rows], table.ids):
        raise InputError(
            "The scores are of other examples. Expected ids out of those of `examples`, in their "
            f"order. Received: {len(table)} ids, {len(rows)} of them among {examples!r}"
        )
    scores = np.stack([table[name] for name in names], axis=1)
    wanted = Embedding(PENULTIMATE)
    with embeddings(as_logits(model), examples, [wanted]) as embedded:
        values = carried_over(scores, embedded.features[wanted], examples.labels, rows, k)
    known = rows[np.isfinite(values[rows]).all(axis=1)]
    held_out = ScoreTable(
        examples.ids[known],
        examples.labels[known],
        dict(zip(names, values[known].T, strict=True)),
        metadata=table.metadata,
    )
    values[rows] = scores
    whole = ScoreTable(
        examples.ids,
        examples.labels,
        dict(zip(names, values.T, strict=True)),
        metadata={**table.metadata, "examples": examples.provenance},
        extrapolated=~is_scored,
    )
    return Carried(whole, held_out)


def over_probes(carried, fraction, seed, k=NEIGHBOURS):
    """The scores of several probes in one table, and how well they carry over.

    Args:
        carried: list of `Carried`, one for each probe.
        fraction: part of the examples that was scored, for the metadata.
        seed: seed of its draw.
        k: number of neighbours.

    Returns:
        `ScoreTable`, whose `metadata["extrapolation"]` has the arguments, `fewest`, the number of
        neighbours in the class with the fewest scored examples, and `scores`, of each score its
        `price`: with the mean (or sum) over the probes on both sides.
    """
    table = ScoreTable.over_seeds([each.table for each in carried])
    held_out = ScoreTable.over_seeds([each.held_out for each in carried])
    rows = np.isin(table.ids, held_out.ids)
    _, scored = np.unique(table.labels[~table.extrapolated], return_counts=True)
    table.metadata["extrapolation"] = {
        "fraction": float(fraction),
        "seed": int(seed),
        "k": int(k),
        "fewest": int(min(k, max(1, scored.min() - 1))),
        "scores": {name: price(table[name][rows], held_out[name]) for name in table.names},
    }
    return table


def price(scores, held_out):
    """How far the values that examples would have been given are from their scores.

    Each scored example is left out in turn and gets its value from its neighbours. That tells what
    the neighbours lose of these probes' scores. It cannot tell two things, for which all examples
    would have to be scored. The probes were trained on the examples that are left out here, and
    not on those that the scores are carried over to, whose neighbours may be worse. And probes
    that are trained on all examples give other scores than those trained on a part.

    Args:
        scores: floats `(examples,)`.
        held_out: floats `(examples,)`, the same examples by their neighbours.

    Returns:
        Dictionary of `rank_correlation` (Spearman), `None` where one side does not vary, and
        `mean_absolute_error`, in units of the score.
    """
    errors = np.abs(scores.astype(np.float64) - held_out)
    return {
        "rank_correlation": rank_correlation(scores, held_out),
        "mean_absolute_error": float(errors.mean()),
    }
