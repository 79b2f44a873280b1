"""The parser of the command line. Its errors are one plain message, without pages of usage."""

import itertools
import re

from jsonargparse import ActionConfigFile, ArgumentParser

from keras_pruning.commands.config_files import check_config_file, closest
from keras_pruning.commands.terminal import message

# Types as jsonargparse writes them, and as a user calls them.
_TYPES = {
    "int": "an integer",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "dict": "a dictionary",
    "list": "a list",
}
_TYPE = re.compile(r"<class '(\w+)'>|(?:typing\.)?Literal\[([^\]]*)\]|\b(list)\[([\w| ]*)\]")
_WRONG_VALUE = re.compile(
    r'Parser key "([^"]+)"(?: element \d+)?:\s*'
    r"(?:Expected an? (?P<one>.+?)\. Got value: (?P<value>.*)"
    r"|.*?Subtypes: \[(?P<several>[^\n]*)\]\n.*Given value: (?P<given>.*))\Z",
    re.DOTALL,
)
# Errors of argparse and jsonargparse, and their words in three parts.
_REWORDED = {
    r"argument (?P<name>[^\s/]+)\S*: expected (?:at least )?one argument": "The option "
    "{name} has no value. Expected one after it. Received: none",
    r'Parser key "(?P<name>[^"]+)":\s*Unable to load config (?P<value>[^\n]+)': "Invalid section "
    "`{name}`. Expected a dictionary of its keys. Received: {value}",
    r'Parser key "(?P<name>[^"]+)":\s*(?P<reason>[^\n]+)': "Invalid `{name}`. Expected a value as "
    "--help describes it. Received: one that cannot be read ({reason})",
    r'expected "subcommand" to be one of': "No command. Expected one of {known}. Received: none",
    r"argument COMMAND: invalid choice: (?P<command>'.*?') \(": "Unknown command. Expected one of "
    "{known}. Received: {command}",
}


class ConfigFile(ActionConfigFile):
    """The option `--config`, whose file is checked before it is parsed."""

    def __call__(self, parser, namespace, value, option_string=None):
        check_config_file(value, keys_of(parser))
        super().__call__(parser, namespace, value, option_string)


class Parser(ArgumentParser):
    """A parser whose errors are one message in three parts.

    Abbreviated options are errors too: `--dataset.nam` could be mistaken for an existing key.

    Args:
        commands: dictionary from the names of commands to their parsers.
        **options: keyword arguments of `jsonargparse.ArgumentParser`.
    """

    def __init__(self, commands=None, **options):
        super().__init__(allow_abbrev=False, **options)
        self.commands = commands or {}

    def error(self, message_, ex=None):
        self.exit(2, message("error", self.reworded(message_)) + "\n")

    def reworded(self, text):
        """Returns an error of jsonargparse in three parts.

        Args:
            text: the error in the words of jsonargparse.
        """
        # Wrong types first, then missing and unknown options, then the rest
        if match := _WRONG_VALUE.match(text):
            key, expected = match[1], _kinds(match["one"] or match["several"])
            received = match["value"] if match["several"] is None else match["given"]
            return f"Invalid `{key}`. Expected {expected}. Received: {received.strip()}"
        if text.startswith("the following arguments are required: "):
            return self._missing(text.partition(": ")[2].split(", "))
        if text.startswith("unrecognized arguments: "):
            return self._unknown(text.partition(": ")[2].split(" "))
        for pattern, words in _REWORDED.items():
            if match := re.match(pattern, text):
                groups = {"known": ", ".join(self.commands), **match.groupdict()}
                suggestion = closest(groups.get("command", "").strip("'"), self.commands)
                return words.format(**groups) + suggestion
        return text

    def _missing(self, keys):
        # The keys begin with the name of the command, which the user does not write.
        names = [key.partition(".")[2] if self.commands else key for key in keys]
        options = [f"--{name.replace('_', '-')}" for name in names]
        command = keys[0].partition(".")[0] if self.commands else ""
        return (
            f"Missing options. Expected {', '.join(options)}. Received: none of "
            f"{'them' if len(options) > 1 else 'that name'}. `{self.prog} {command} --help` "
            "explains them."
        )

    def _unknown(self, arguments):
        # jsonargparse names the rest of the line too, so that only the first word is certain
        name = arguments[0].partition("=")[0]
        parsers = [self, *(self.commands[key] for key in self.args if key in self.commands)]
        if not name.startswith("-"):
            # The shell replaces a pattern without quotes by the files
            quote = ". Put the pattern of --checkpoints in quotes" if ".keras" in name else ""
            return f"Expected options only. Received: {' '.join(arguments)}{quote}"
        known = {option for parser in parsers for option in parser._option_string_actions}
        return (
            f"Unknown option {name}. Expected one that --help lists. Received: "
            f"{' '.join(arguments)}{closest(name, known)}"
        )


def config_first(arguments):
    """Returns the arguments of a command line with each `--config` before all other options.

    jsonargparse lets the last of them win, so that a config would replace the options before it.

    Args:
        arguments: list of strings, the command first.
    """
    configs, others, rest = [], [], iter(arguments)
    for argument in rest:
        if argument == "--config":
            # The file is the next argument.
            configs += [argument, *itertools.islice(rest, 1)]
        elif argument.startswith("--config="):
            configs.append(argument)
        else:
            others.append(argument)
    return [*others[:1], *configs, *others[1:]]


def keys_of(parser):
    """Returns the names of the keys that a config file of a command may have."""
    left_out = ("help", "config", "print_config")
    return {action.dest for action in parser._actions if action.dest not in left_out}


def _kinds(types):
    """Returns types as jsonargparse writes them in the words of a user."""
    words = []
    for name, choices, listed, entries in _TYPE.findall(types):
        if choices:
            words.append(f"one of {choices}")
        elif listed:
            integers = entries == "int"
            words.append(f"a list{' of integers' if integers else ''}")
        elif name != "NoneType":
            words.append(_TYPES.get(name, name))
    return " or ".join(dict.fromkeys(words)) or types
