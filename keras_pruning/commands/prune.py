"""`prune`: selects the examples to keep by their scores."""

import os

from keras_pruning.selection import get, select
from keras_pruning.selection.select import require_no_more
from keras_pruning.storage import AlreadyExists, require_writable
from keras_pruning.tables.score_table import ScoreTable

HELP = "Select the examples to keep by their scores."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--scores", type=str, required=True, help="scores.parquet of `score`")
    parser.add_argument("--by", type=str | None, help="name of the score")
    parser.add_argument("--keep-fraction", type=float, required=True, help="in (0, 1]")
    parser.add_argument(
        "--policy",
        type=str | dict,
        default="hardest",
        help="which examples to keep: a name, or '{name: NAME, OPTION: VALUE}'",
    )
    parser.add_argument(
        "--quota",
        type=str | dict | None,
        help="shares of the classes: a name, or '{name: NAME, OPTION: VALUE}'",
    )
    parser.add_argument(
        "--embedding",
        type=str | None,
        help=".npy file with one row for each example, for a policy that needs an embedding",
    )
    parser.add_argument("--seed", type=int, default=0, help="breaks ties and draws")
    parser.add_argument("--output", type=str, required=True, help="subset file to write")


def run(values):
    """Writes the subset, or reuses the one that is there."""
    require_no_more(get(values.policy), values.by, values.embedding)
    if not os.path.exists(values.output):
        require_writable(values.output)
    table = ScoreTable.load(values.scores)
    subset = select(
        table,
        values.by,
        values.keep_fraction,
        values.policy,
        values.quota,
        values.seed,
        values.embedding,
    )
    # An existing file is kept: either it has the same recipe, or that is an error. Another process
    # may write it at the same time.
    try:
        subset.save(values.output)
    except AlreadyExists:
        subset.require_same(values.output)
        yield f"Reused {values.output}: it has the same recipe."
    yield f"Kept {len(subset):,} of {len(table):,} examples."
    yield values.output
