"""The command line: parses the arguments, runs one command, explains mistakes in one message."""

import logging
import os
import sys
from pathlib import Path

from keras_pruning.commands import COMMANDS
from keras_pruning.commands.config_options import require_sections
from keras_pruning.commands.parser import Parser
from keras_pruning.commands.terminal import show, show_error, use_terminal
from keras_pruning.errors import InputError
from keras_pruning.jobs.local import interruptible

logger = logging.getLogger("keras_pruning")


def make_parser():
    """Returns the parser of all commands."""
    parser = Parser(
        prog=Path(sys.argv[0]).name,
        description="Prunes training data, not weights: finds out which examples are hard, wrong "
        "or redundant, prunes them, retrains, and tells whether it paid.",
    )
    subcommands = parser.add_subcommands(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = Parser(description=command.HELP)
        command.add_arguments(subparser)
        parser.add_command(subcommands, name, subparser, command.HELP)
    return parser


def main(arguments=None):
    """Runs one command.

    Args:
        arguments: list of strings; by default those of the process.

    Returns:
        Exit code: 0, or 2 after a mistake that the message explains.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logger.setLevel(logging.INFO)
    with use_terminal():
        return _exit_code(arguments)


def _exit_code(arguments):
    """Runs one command, explains its mistake if there is one, and returns the exit code."""
    parser = make_parser()
    try:
        namespace = parser.parse_args(arguments)
        name = namespace.subcommand
        require_sections(namespace[name])
        values = parser.instantiate(namespace)[name]
        with interruptible():
            for content in COMMANDS[name].run(values):
                show(content)
    except (InputError, ImportError) as error:
        show_error(error)
        return 2
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        show_error(f"{error.strerror or error}: {error.filename}" if error.filename else error)
        return 2
    except UnicodeDecodeError as error:
        show_error(f"Expected a text file. Received: a binary one ({error})")
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept and will be reused.", file=sys.stderr)
        return 130
    return 0
