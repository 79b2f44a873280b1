"""The command line: parses the arguments, runs one command, explains mistakes in one message."""

import logging
import os
import sys
from pathlib import Path

from keras_pruning.commands import COMMANDS
from keras_pruning.commands.config_files import check_arguments
from keras_pruning.commands.parser import Parser, config_first
from keras_pruning.commands.terminal import readable_messages, show, show_message
from keras_pruning.errors import InputError
from keras_pruning.jobs.local import interruptible
from keras_pruning.storage.temporary import clear_temporary_folders

logger = logging.getLogger("keras_pruning")


def make_parser(words=COMMANDS):
    """Returns the parser of all commands.

    Args:
        words: strings. A command that is not among them gets no options, which saves time.
    """
    commands = {name: Parser(description=command.HELP) for name, command in COMMANDS.items()}
    parser = Parser(
        commands,
        prog=Path(sys.argv[0]).name,
        description="Prunes training data, not weights: finds out which examples are hard, wrong "
        "or redundant, prunes them, retrains, and tells whether it paid.",
    )
    subcommands = parser.add_subcommands(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        if name in words:
            command.add_arguments(commands[name])
        subcommands.add_subcommand(name, commands[name], help=command.HELP)
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
    with readable_messages():
        return _run(sys.argv[1:] if arguments is None else arguments)


def _parsed(arguments):
    """Returns the name of the command and its values.

    Raises:
        InputError: if a value is invalid.
    """
    check_arguments(arguments)
    parser = make_parser(arguments)
    try:
        namespace = parser.parse_args(config_first(arguments))
        return namespace.subcommand, parser.instantiate(namespace)[namespace.subcommand]
    except InputError:
        raise
    except (OverflowError, ValueError) as error:
        # Python reads integers of any length, and converts only those of some hundred digits.
        raise InputError(f"Invalid value. Expected a number. Received: {error}") from error


def _run(arguments):
    """Runs one command and returns its exit code."""
    try:
        name, values = _parsed(arguments)
        if getattr(values, "output", None) == "":
            raise InputError(
                "Invalid --output. Expected the path of a file or folder. Received: an empty text. "
                "Leave out --output for the default place, or name one."
            )
        # This command may have nothing left to do that would remove them
        clear_temporary_folders()
        with interruptible():
            for content in COMMANDS[name].run(values):
                show(content)
    except (InputError, ImportError) as error:
        show_message("error", error)
        return 2
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        show_message("error", f"{error.strerror or error}: {error.filename}")
        return 2
    except UnicodeDecodeError as error:
        show_message("error", f"Expected a text file. Received: a binary one ({error})")
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept and will be reused.", file=sys.stderr)
        return 130
    return 0
