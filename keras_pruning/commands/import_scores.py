"""`import`: makes a score table of scores that were computed elsewhere."""

import dataclasses

from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.errors import InputError

HELP = "Make a score table of files of scores that were computed elsewhere."


def add_arguments(parser):
    """Adds the options of the command."""
    add_config(parser)
    parser.add_argument(
        "--files",
        type=str,
        nargs="+",
        required=True,
        metavar="NAME=FILE",
        help="files of scores for the training examples of the config: .npy in the order of the "
        "data set, or .csv with the columns id and score in any order",
    )
    parser.add_argument(
        "--higher-is-harder",
        type=str,
        nargs="+",
        required=True,
        metavar="NAME=true|false",
        help="for each score, whether a higher value means a harder example",
    )


def run(values):
    """Writes the score table, or reuses the one that is there."""
    from keras_pruning.tables.imported import import_scores

    files = _pairs("--files", values.files, "NAME=FILE")
    directions = _pairs("--higher-is-harder", values.higher_is_harder, "NAME=true|false")
    directions = {name: _boolean(name, text) for name, text in directions.items()}
    # Everything that needs no data is checked before the examples are loaded
    config, output = config_and_output(values)
    _require_known_directions(directions)
    path = output / "scores.parquet"
    table, is_new = import_scores(_examples(config), files, directions, path)
    if not is_new:
        yield f"Reused {path}: it has the same recipe."
    yield f"Imported {', '.join(table.names)} of {len(table):,} examples."
    yield f"{path}"


def _pairs(option, texts, expected):
    """Returns the entries `NAME=VALUE` of an option as a dictionary.

    Raises:
        InputError: if an entry has another form, or a name is there twice.
    """
    pairs = {}
    # A path may have an equals sign itself, a name has none
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value) or name in pairs:
            raise InputError(
                f"Invalid {option}. Expected {expected} for each score, every name once. "
                f"Received: {' '.join(texts)}"
            )
        pairs[name] = value
    return pairs


def _examples(config):
    """Returns the training examples of a config."""
    from keras_pruning.examples.splits import Splits

    return Splits(**dataclasses.asdict(config.dataset)).train


def _require_known_directions(directions):
    """Raises an `InputError` if a score of this package is said to have the other direction."""
    from keras_pruning.scores import SCORES

    for name, is_harder in directions.items():
        if name in SCORES and SCORES[name].higher_is_harder != is_harder:
            known = SCORES[name].higher_is_harder
            raise InputError(
                f"`{name}` has the other direction in this package. Expected --higher-is-harder "
                f"{name}={str(known).lower()}. Received: {str(is_harder).lower()}. Choose another "
                "name in --files, if the file holds another score."
            )


def _boolean(name, text):
    if text.lower() not in ("true", "false", "yes", "no"):
        raise InputError(
            f"Invalid --higher-is-harder of `{name}`. Expected true or false. Received: {text}"
        )
    return text.lower() in ("true", "yes")
