"""`prune`: selects the examples to keep by their scores."""

import os
from pathlib import Path

from keras_pruning.arguments import require_fraction
from keras_pruning.commands.pilot import is_auto, pilots
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.reports.explanation import as_lines_and_tables
from keras_pruning.reports.pilot import as_lines_and_table
from keras_pruning.selection import get, select
from keras_pruning.selection.candidates import CONFIDENCE, DIFFICULTY, EMBEDDING
from keras_pruning.selection.cautions import each_once
from keras_pruning.selection.embedding import open_embedding
from keras_pruning.selection.methods import description, fraction_name, method_name
from keras_pruning.selection.select import require_needs, require_no_more
from keras_pruning.storage import AlreadyExists, require_writable
from keras_pruning.tables.score_table import ScoreTable

HELP = "Select the examples to keep by their scores."
# Endings of files that one may expect to get, and would not
_OTHERS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".npz", ".npy", ".zip")


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
        help="which examples to keep: one or several names, or '{name: NAME, OPTION: VALUE}'. auto "
        "tries some in a pilot and needs --config",
    )
    parser.add_argument(
        "--config", type=str | None, help="config of the model and its training, for auto"
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
    fractions = [require_fraction(fraction) for fraction in values.keep_fraction]
    requests = [(*method, part) for method in _methods(values) for part in fractions]
    _require_output(Path(values.output), len(requests) == 1)
    table = ScoreTable.load(values.scores)
    _require_possible(requests, table)
    paths = _paths(requests, table, values)
    prepared = pilots(requests, paths, table, values)
    # All are selected before the first is written, so that an error leaves none behind
    subsets = _select(requests, paths, table, values)
    for path in paths:
        if path not in prepared:
            yield from _write(subsets[path], path)
    # A pilot takes long. Its subset is written before the next one starts
    for path, (pilot, earlier) in prepared.items():
        choice = earlier or pilot.run()
        yield from as_lines_and_table(choice)
        subsets[path] = choice.select(table, values.seed)
        yield from _write(subsets[path], path)
    for subset in subsets.values() if values.explain else []:
        others = [other for other in subsets.values() if other is not subset]
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
        if output.suffix.lower() in _OTHERS:
            raise InputError(
                f"Invalid --output. Expected the path of a .parquet file. Received: {output}. "
                "`cli.py export` writes the kept examples in other formats."
            )
        if not os.path.exists(output):
            require_writable(output)
        return
    if output.suffix == ".parquet" or (output.exists() and not output.is_dir()):
        raise InputError(
            "Invalid --output. Expected a folder for the files of several subsets, for example "
            f"{output.with_suffix('')}-subsets. Received: {output}"
        )
    require_writable(output / "new.parquet")


def _require_possible(requests, table):
    """Raises an `InputError` unless every policy can keep its fraction of the table."""
    for policy, by, embedding, fraction in requests:
        require_needs(policy, by, table.names, embedding)
        if by is not None:
            table.difficulty(by)
        keep_count(fraction, len(table))
        policy.require_keep_fraction(fraction)


def _paths(requests, table, values):
    """Returns the path of each subset: the output, or a file in it by method and fraction.

    Raises:
        InputError: if two have the same name.
    """
    if len(requests) == 1:
        return [values.output]
    names = []
    for policy, by, _, fraction in requests:
        reads_scores = DIFFICULTY in policy.needs or CONFIDENCE in policy.needs
        method = description(by, policy, values.quota)
        method["extrapolated"] = bool(reads_scores and table.extrapolated.any())
        names.append(f"{method_name(method)}-keep-{fraction_name(fraction)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            "Two subsets would have the same file. Expected each score, policy and fraction once. "
            f"Received: {', '.join(twice)} more than once"
        )
    return [str(Path(values.output) / f"{name}.parquet") for name in names]


def _select(requests, paths, table, values):
    """Returns a dictionary from paths to subsets, in the order of all paths.

    The subset of a pilot is `None`.

    Raises:
        InputError: if a file is there that holds another subset.
    """
    sources = {embedding for _, _, embedding, _ in requests} - {None}
    # Opened once: the check and the hash read the whole file.
    opened = {source: open_embedding(source, len(table)) for source in sources}
    subsets = dict.fromkeys(paths)
    with each_once():
        for path, (policy, by, source, fraction) in zip(paths, requests, strict=True):
            if not is_auto(policy):
                options = values.quota, values.seed, opened.get(source)
                subsets[path] = select(table, by, fraction, policy, *options)
    for path, subset in subsets.items():
        if subset is not None and os.path.exists(path):
            subset.require_same(path)
    return subsets


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
