"""Estimates the scores of examples that were not scored from their nearest scored neighbours."""

import numpy as np

from keras_pruning.embeddings.layers import embeddings
from keras_pruning.embeddings.neighbors import nearest
from keras_pruning.embeddings.requests import Embedding
from keras_pruning.errors import InputError
from keras_pruning.examples.ids import are_among
from keras_pruning.models.heads import as_logits, require_penultimate
from keras_pruning.models.layers import PENULTIMATE
from keras_pruning.probing.estimates import NEIGHBOURS, Extrapolation
from keras_pruning.tables.score_table import ScoreTable

_BLOCK_BYTES = 2**28


def require_extrapolation(model):
    """Raises an `InputError` unless the scores of other examples can be estimated with `model`."""
    require_penultimate(
        as_logits(model),
        "Scores of other examples are estimated by it. Score all examples: leave out --fraction "
        "and --extrapolate, or set probe.fraction to 1.",
    )


def neighbour_means(scores, vectors, labels, rows, k=NEIGHBOURS, seed=0):
    """Returns the mean score of the k nearest scored examples of the same label.

    Formula:
        ŝ_i = 1/k · Σ_{j ∈ N_k(i)} s_j,   N_k(i) the k scored j ≠ i with y_j = y_i nearest to h_i

    Distances are Euclidean. If a class has fewer than k + 1 scored examples, k is one less than
    their number. Neighbours of other labels are left out because most scores depend on the label:
    the neighbours of a wrong label have right labels, and are easy. Examples at equal distances are
    in random order.

    Args:
        scores: floats `(scored, scores)`.
        vectors: floats `(examples, dimensions)`, h, an array or a memory map.
        labels: integers `(examples,)`.
        rows: integers `(scored,)`, ascending, the rows of the scored examples.
        k: number of neighbours.
        seed: integer >= 0, the seed of the order of equal distances.

    Returns:
        Floats `(examples, scores)`, for the scored examples too. NaN for a class with fewer than
        two scored examples.
    """
    # From the row of an example to its position among the scored ones
    position = np.full(len(labels), -1)
    position[rows] = np.arange(len(rows))
    values = np.full((len(labels), scores.shape[1]), np.nan)
    block = max(1, _BLOCK_BYTES // (4 * vectors.shape[1]))
    for label in np.unique(labels):
        support = rows[labels[rows] == label]
        count = min(k, len(support) - 1)
        members = np.flatnonzero(labels == label) if count > 0 else []
        # In blocks, because the vectors of a class may not fit into memory.
        for start in range(0, len(members), block):
            queries = members[start : start + block]
            # Each block draws its own order, because it counts its queries from 0.
            stream = seed, start
            neighbours, _ = nearest(vectors[queries], vectors, count, support, queries, seed=stream)
            values[queries] = scores[position[neighbours]].mean(axis=1, dtype=np.float64)
    return values


def extrapolate(table, model, examples, k=NEIGHBOURS, seed=0, batch_size=256):
    """Estimates the scores of all examples from the scores of a part.

    The neighbours are the nearest in the input of the last layer of `model`, exact and in eval
    mode.

    Args:
        table: `ScoreTable` of the part.
        model: Keras model that passes `require_extrapolation`.
        examples: `Examples`, all of them.
        k, seed: as in `neighbour_means`.
        batch_size: examples in a batch of the pass that embeds them.

    Returns:
        `Extrapolation`. Scored examples keep their scores to the last bit.

    Raises:
        InputError: if the scored examples are not among `examples`, in their order.
    """
    is_scored = are_among(examples.ids, table.ids)
    rows = np.flatnonzero(is_scored)
    if not np.array_equal(examples.ids[rows], table.ids):
        raise InputError(
            "The scores are of other examples. Expected ids out of those of `examples`, in their "
            f"order. Received: {len(table)} ids, {len(rows)} of them among {examples!r}"
        )
    # Estimate the scores of all examples, the scored ones included
    scores = np.stack([table[name] for name in table.names], axis=1)
    penultimate = Embedding(PENULTIMATE)
    logits = as_logits(model, spec=examples.spec)
    with embeddings(logits, examples, [penultimate], batch_size) as embedded:
        vectors = embedded.features[penultimate]
        values = neighbour_means(scores, vectors, examples.labels, rows, k, seed)
    # Set the estimates of scored examples aside, then put their scores in their place
    with_neighbours = rows[np.isfinite(values[rows]).all(axis=1)]
    held_out = _table(table, examples, values, with_neighbours, table.metadata)
    values[rows] = scores
    metadata = {**table.metadata, "examples": examples.provenance}
    whole = _table(table, examples, values, slice(None), metadata, ~is_scored)
    return Extrapolation(whole, held_out)


def _table(table, examples, values, rows, metadata, extrapolated=None):
    """Returns a table of `values[rows]` with the names of another table."""
    columns = dict(zip(table.names, values[rows].T, strict=True))
    ids, labels = examples.ids[rows], examples.labels[rows]
    return ScoreTable(ids, labels, columns, metadata=metadata, extrapolated=extrapolated)
