"""Score tables in which some scores are estimated from neighbours, and the error of the estimates.

Nothing here imports TensorFlow, because the process that starts the probes puts tables together.
"""

from typing import NamedTuple

import numpy as np

from keras_pruning.examples.ids import are_among
from keras_pruning.statistics.ranks import rank_correlation
from keras_pruning.tables.score_table import ScoreTable

NEIGHBOURS = 10


class Extrapolation(NamedTuple):
    """The scores of all examples by one probe, which has scored a part of them.

    Args:
        table: `ScoreTable` of all examples.
        held_out: `ScoreTable` of the scored examples that have a scored neighbour, each with the
            estimate that it would get from its neighbours if it had not been scored itself.
    """

    table: ScoreTable
    held_out: ScoreTable


def over_probes(extrapolations, fraction, seed, k=NEIGHBOURS):
    """Combines the scores of several probes and measures the error of the estimates.

    Args:
        extrapolations: list of `Extrapolation`, one for each probe.
        fraction: part of the examples that was scored, for the metadata.
        seed: seed of the draw of that part.
        k: number of neighbours.

    Returns:
        `ScoreTable`. Its `metadata["extrapolation"]` has the arguments, as `fewest` the number of
        neighbours in the class with the fewest scored examples, and as `scores` the
        `estimation_error` of each score. The error compares the mean (or sum) of the scores over
        the probes with that of the estimates.
    """
    table = ScoreTable.over_seeds([probe.table for probe in extrapolations])
    held_out = ScoreTable.over_seeds([probe.held_out for probe in extrapolations])
    # Measure the error where both a score and an estimate exist
    rows = are_among(table.ids, held_out.ids)
    _, class_sizes = np.unique(table.labels[~table.extrapolated], return_counts=True)
    table.metadata["extrapolation"] = {
        "fraction": float(fraction),
        "seed": int(seed),
        "k": int(k),
        "fewest": int(min(k, max(1, class_sizes.min() - 1))),
        "scores": {
            name: estimation_error(table[name][rows], held_out[name]) for name in table.names
        },
    }
    return table


def estimation_error(scores, estimates):
    """Compares the scores of examples with their estimates from neighbours.

    Each scored example is left out in turn and gets its estimate from its neighbours. This measures
    the error of the estimates for the scores of these probes. Two more errors could be measured
    only by scoring all examples. First, the probes were trained on the examples that are left out
    here, and not on the others, whose neighbours may be worse. Second, probes that are trained on
    all examples give other scores than probes that are trained on a part.

    Args:
        scores: floats `(examples,)`.
        estimates: floats `(examples,)`, of the same examples.

    Returns:
        Dictionary of `rank_correlation` (Spearman), `None` if one side does not vary, and
        `mean_absolute_error`, in units of the score.
    """
    errors = np.abs(scores.astype(np.float64) - estimates)
    return {
        "rank_correlation": rank_correlation(scores, estimates),
        "mean_absolute_error": float(errors.mean()),
    }
