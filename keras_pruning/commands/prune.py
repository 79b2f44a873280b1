"""`prune`: selects the examples to keep by their scores."""

import itertools
import os
from pathlib import Path

from keras_pruning.arguments import require_fraction
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.reports.explanation import as_lines_and_tables
from keras_pruning.selection import get, select
from keras_pruning.selection.candidates import DIFFICULTY, EMBEDDING
from keras_pruning.selection.cautions import each_once
from keras_pruning.selection.embedding import open_embedding
from keras_pruning.selection.explanation import name_of
from keras_pruning.selection.select import require_needs, require_no_more
from keras_pruning.storage import AlreadyExists, require_writable
from keras_pruning.tables.score_table import ScoreTable

HELP = "Select the examples to keep by their scores."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--scores", type=str, required=True, help="scores.parquet of `score`")
    parser.add_argument("--by", type=str, nargs="+", default=[], help="names of scores")
    parser.add_argument(
        "--keep-fraction", type=float, nargs="+", required=True, help="one or several in (0, 1]"
    )
    parser.add_argument(
        "--policy",
        type=str | dict,
        nargs="+",
        default=["hardest"],
        help="which examples to keep: one or several names, or '{name: NAME, OPTION: VALUE}'",
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
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show kept share and mean difficulty by class, and what the subsets share",
    )
    parser.add_argument(
        "--output",
        type=str,
        required=True,
        help="subset file to write; a folder for several fractions, policies or scores",
    )


def run(values):
    """Writes the subsets, or reuses those that are there."""
    methods = _methods(values)
    fractions = [require_fraction(fraction) for fraction in values.keep_fraction]
    is_single = len(methods) == len(fractions) == 1
    _require_output(Path(values.output), is_single)
    table = ScoreTable.load(values.scores)
    _require_possible(methods, fractions, table)
    # All are selected before the first is written, so that an error leaves none behind.
    subsets = _select(methods, fractions, table, values)
    paths = [values.output] if is_single else _paths(Path(values.output), subsets)
    for subset, path in zip(subsets, paths, strict=True):
        if os.path.exists(path):
            subset.require_same(path)
    for subset, path in zip(subsets, paths, strict=True):
        yield from _write(subset, path)
    for subset in subsets if values.explain else []:
        others = [other for other in subsets if other is not subset]
        yield from as_lines_and_tables(subset.explain(others=others))


def _methods(values):
    """Returns a list of tuples of a policy, a score and an embedding, those that it reads.

    Raises:
        InputError: if a policy is invalid, or no policy reads the score or the embedding.
    """
    policies = [get(policy) for policy in values.policy]
    read = {need for policy in policies for need in policy.needs}
    by = None if DIFFICULTY in read or not values.by else values.by[0]
    require_no_more(policies[0], by, None if EMBEDDING in read else values.embedding)
    return [
        (policy, by, values.embedding if EMBEDDING in policy.needs else None)
        for policy in policies
        for by in (values.by if values.by and DIFFICULTY in policy.needs else [None])
    ]


def _require_output(output, is_single):
    """Raises an `InputError` unless the output can be written."""
    if is_single:
        if not os.path.exists(output):
            require_writable(output)
        return
    if output.suffix == ".parquet" or (output.exists() and not output.is_dir()):
        raise InputError(
            "Invalid --output. Expected a folder for the files of several subsets, for example "
            f"{output.with_suffix('')}-subsets. Received: {output}"
        )
    require_writable(output / "new.parquet")


def _require_possible(methods, fractions, table):
    """Raises an `InputError` unless every method can keep every fraction."""
    for (policy, by, embedding), fraction in itertools.product(methods, fractions):
        require_needs(policy, by, table.names, embedding)
        if by is not None:
            table.difficulty(by)
        keep_count(fraction, len(table))
        policy.require_keep_fraction(fraction)


def _select(methods, fractions, table, values):
    """Returns the subset of each method at each fraction."""
    paths = {embedding for _, _, embedding in methods} - {None}
    # Opened once: the check and the hash read the whole file.
    opened = {path: open_embedding(path, len(table)) for path in paths}
    with each_once():
        return [
            select(table, by, fraction, policy, values.quota, values.seed, opened.get(embedding))
            for (policy, by, embedding), fraction in itertools.product(methods, fractions)
        ]


def _paths(folder, subsets):
    """Returns the path of each subset in a folder, by its method and its fraction.

    Raises:
        InputError: if two have the same name.
    """
    names = [name_of(subset) for subset in subsets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            "Two subsets would have the same file. Expected each score, policy and fraction once. "
            f"Received: {', '.join(twice)} more than once"
        )
    return [str(folder / f"{name}.parquet") for name in names]


def _write(subset, path):
    """Writes a subset, or reuses the file of the same one, and yields lines about it."""
    # An existing file is kept: either it has the same recipe, or that is an error. Another process
    # may write it at the same time.
    try:
        subset.save(path)
    except AlreadyExists:
        subset.require_same(path)
        yield f"Reused {path}: it has the same recipe."
    yield f"Kept {len(subset):,} of {len(subset.mask):,} examples."
    yield path
