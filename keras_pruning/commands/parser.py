"""The parser of the command line, whose errors are one message each."""

import difflib
import re

from jsonargparse import ArgumentParser, set_loader

from keras_pruning.commands.config_files import load_yaml
from keras_pruning.errors import InputError

_TYPES = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
    "dict": "a dictionary",
    "NoneType": "null",
}
_YAML = "keras_pruning"


class Parser(ArgumentParser):
    """A parser whose errors are one message in plain words, without the pages of usage.

    Abbreviated options are errors too: `--dataset.nam` could be mistaken for an existing key.
    """

    def __init__(self, **options):
        set_loader(_YAML, load_yaml, exceptions=(InputError,))
        super().__init__(allow_abbrev=False, parser_mode=_YAML, **options)
        self.commands = {}

    def add_command(self, subcommands, name, parser, text):
        """Adds the parser of a command."""
        self.commands[name] = parser
        subcommands.add_subcommand(name, parser, help=text)

    def error(self, message, ex=None):
        """Raises an `InputError` in the place of an error of jsonargparse."""
        raise InputError(in_plain_words(message, self._options())) from ex

    def _options(self):
        """Returns the names of all options, also of the commands."""
        names = [name for action in self._actions for name in action.option_strings]
        return names + [name for parser in self.commands.values() for name in parser._options()]


def in_plain_words(message, options):
    """Returns an error of jsonargparse in three parts: the mistake, the expected, the received.

    Args:
        message: text of the error.
        options: names of the existing options, with their dashes.
    """
    for pattern, explain in _EXPLANATIONS:
        if match := re.search(pattern, message, re.DOTALL):
            return explain(options, *match.groups())
    return message


def _unknown_key(options, key):
    keys = [name.removeprefix("--") for name in options]
    return (
        "Unknown key in the config. Expected a key that --help lists. "
        f"Received: {key!r}{_nearest(key, keys)}"
    )


def _unknown_option(options, received):
    name = received.split()[0].partition("=")[0]
    return (
        "Unknown option. Expected an option that --help lists. "
        f"Received: {received}{_nearest(name, options)}"
    )


def _wrong_type(options, key, message, value):
    types = re.findall(r"Expected an? (.+?)(?:\.? Got value|\n|$)", message)
    return f"Invalid `{key}`. Expected {_in_words(types)}. Received: {value}"


def _in_words(types):
    """Returns names of types, as jsonargparse has them, in plain words."""
    words = []
    for name in types:
        name = re.sub(r"^<class '(.+)'>$", r"\1", name.strip())
        choices = re.match(r"typing\.Literal\[(.+)\]$", name)
        words.append(f"one of {choices.group(1)}" if choices else _TYPES.get(name, name))
    return " or ".join(dict.fromkeys(words)) or "another value"


def _missing_options(options, names):
    flags = [f"--{name.strip().rpartition('.')[2].replace('_', '-')}" for name in names.split(",")]
    return f"Missing options. Expected {', '.join(flags)}. Received: a command without them"


def _unknown_command(options, received, choices):
    names = re.findall(r"'(\w+)'", choices)
    return (
        f"Unknown command. Expected one of {', '.join(names)}. "
        f"Received: {received}{_nearest(received.strip(chr(39)), names)}"
    )


def _no_command(options):
    return "No command. Expected a command that --help lists. Received: none"


def _no_value(options, name):
    return f"Invalid `{name}`. Expected a value after it. Received: none"


def _nearest(name, names):
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    return f". Did you mean {nearest[0]}?" if nearest else ""


# Patterns of the errors of jsonargparse, each with the function that words it anew.
_EXPLANATIONS = [
    (r"does not accept option '(.+)'", _unknown_key),
    (r"^unrecognized arguments: (.+)", _unknown_option),
    (r'Parser key "([^"]+)":\s+(.*)Given value: (.*)$', _wrong_type),
    (r'Parser key "([^"]+)":\s+(.*Got value: (.*))$', _wrong_type),
    (r"^the following arguments are required: (.+)", _missing_options),
    (r"^argument COMMAND: invalid choice: (.+?) \((.+)\)$", _unknown_command),
    (r'^expected "subcommand"', _no_command),
    (r"^argument (\S+): expected", _no_value),
]
