"""The command line: parses the arguments, runs one command, explains mistakes in one message."""

import logging
import os
import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from keras_pruning.commands import COMMANDS
from keras_pruning.commands.terminal import show
from keras_pruning.errors import InputError
from keras_pruning.jobs.local import interruptible

logger = logging.getLogger("keras_pruning")


class _Parser(ArgumentParser):
    """A parser whose errors are one message, without the pages of usage.

    Abbreviated options are errors too: `--dataset.nam` could be mistaken for an existing key.
    """

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message, ex=None):
        self.exit(2, f"error: {message}\n")


def make_parser():
    """Returns the parser of all commands."""
    parser = _Parser(
        prog=Path(sys.argv[0]).name,
        description="Prunes training data, not weights: finds out which examples are hard, wrong "
        "or redundant, prunes them, retrains, and tells whether it paid.",
    )
    subcommands = parser.add_subcommands(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = _Parser(description=command.HELP)
        command.add_arguments(subparser)
        subcommands.add_subcommand(name, subparser, help=command.HELP)
    return parser


def main(arguments=None):
    """Runs one command.

    Args:
        arguments: list of strings; by default those of the process.

    Returns:
        Exit code: 0, or 2 after a mistake that the message explains.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logger.setLevel(logging.INFO)
    parser = make_parser()
    try:
        namespace = parser.parse_args(arguments)
        name = namespace.subcommand
        values = parser.instantiate(namespace)[name]
        with interruptible():
            for content in COMMANDS[name].run(values):
                show(content)
    except (InputError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename}", file=sys.stderr)
        return 2
    except UnicodeDecodeError as error:
        print(f"error: Expected a text file. Received: a binary one ({error})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept and will be reused.", file=sys.stderr)
        return 130
    return 0
