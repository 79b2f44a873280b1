"""Checks config files before they are parsed."""

import os
import stat

import yaml
from jsonargparse import ActionConfigFile, get_loader

from keras_pruning.errors import InputError

# A config has about 40 keys. Aliases that repeat each other can make gigabytes of a short file.
MOST_BYTES, MOST_VALUES, MOST_LEVELS = 2**20, 10_000, 20
_INLINE = "the text"


class ConfigFile(ActionConfigFile):
    """The option `--config`: a YAML file, which is checked first."""

    def __call__(self, parser, cfg, values, option_string=None):
        require_keys(read_text(values), values)
        super().__call__(parser, cfg, values, option_string)


def read_text(path):
    """Returns the text of a config file.

    Raises:
        InputError: if it is no readable file, is too large or is not UTF-8.
    """
    expected = "Expected the path of a YAML file, as in configs/."
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES:
            with open(path, encoding="utf-8") as file:
                return file.read()
    except UnicodeDecodeError as error:
        raise InputError(
            f"Cannot read the config. Expected a text file in UTF-8. Received: {path}, which is "
            "binary or has another encoding. Save it as UTF-8."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Cannot read the config. {expected} Received: {path} ({reason})"
        ) from error
    # A pipe or a device would be read for ever.
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"Invalid `--config`. {expected} Received: {path}, which is not a file")
    raise InputError(
        f"Invalid `--config`. Expected a file of at most {MOST_BYTES:,} bytes. "
        f"Received: {path} of {status.st_size:,} bytes"
    )


def require_keys(text, path):
    """Raises an `InputError` unless the text of a file is valid YAML whose top level has keys."""
    if check_yaml(text, path) != "mapping":
        raise InputError(
            f"Invalid config {path}. Expected keys and values, for example `dataset: {{name: "
            "digits}`. Received: a file without keys"
        )


def load_yaml(text):
    """Returns the value of YAML text, as jsonargparse loads it, after `check_yaml`."""
    check_yaml(text, _INLINE)
    return get_loader("yaml")(text)


def check_yaml(text, source):
    """Raises an `InputError` if YAML is invalid, repeats a key, or is too large or too deep.

    Args:
        text: YAML. It is read event by event, so that aliases take no memory.
        source: path of the file, for the messages.

    Returns:
        Kind of the top level: `"mapping"`, `"other"`, or `None` for empty text.
    """
    checks = _Checks(source)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            checks.take(event)
    except yaml.YAMLError as error:
        raise InputError(
            f"Cannot read {source} as YAML. Expected keys and values, as in configs/. "
            f"Received: {_reason(error)}"
        ) from error
    return checks.kind


class _Checks:
    """Follows the events of a YAML parser.

    Args:
        source: path of the file, for the messages.
    """

    def __init__(self, source):
        self._source = source
        # One dictionary for each open list or mapping
        self._open = []
        # From each anchor to the number of values that its alias repeats
        self._sizes = {}
        self._values = 0
        self.kind = None

    def take(self, event):
        """Takes in the next event."""
        if self.kind is None and isinstance(event, yaml.NodeEvent):
            self.kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "other"
        elif self.kind and isinstance(event, yaml.DocumentStartEvent):
            raise self._error(event, "one document", "another one, after ---,")
        if isinstance(event, yaml.AliasEvent):
            self._add(event, self._sizes.get(event.anchor, MOST_VALUES))
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event, 1)
            self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            self._add(event, 1)
            keys = {} if isinstance(event, yaml.MappingStartEvent) else None
            # An alias inside of its own anchor would have no end.
            self._sizes.pop(event.anchor, None)
            opened = {"keys": keys, "at_key": True, "anchor": event.anchor}
            self._open.append({**opened, "before": self._values - 1})
            if len(self._open) > MOST_LEVELS:
                raise self._error(event, f"at most {MOST_LEVELS} levels", "a deeper one")
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            self._sizes[closed["anchor"]] = self._values - closed["before"]

    def _add(self, event, count):
        """Counts a value, and checks it if it is a key."""
        self._values += count
        if self._values > MOST_VALUES:
            raise self._error(event, f"at most {MOST_VALUES:,} values", "more, or endless aliases")
        if not self._open or self._open[-1]["keys"] is None:
            return
        mapping = self._open[-1]
        if mapping["at_key"]:
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "names as keys", "a list, a dictionary or an alias")
            if event.value in mapping["keys"]:
                first = mapping["keys"][event.value]
                again = f"the key {event.value!r}, which is in line {first} too,"
                raise self._error(event, "each key once", again)
            mapping["keys"][event.value] = event.start_mark.line + 1
        mapping["at_key"] = not mapping["at_key"]

    def _error(self, event, expected, received):
        return InputError(
            f"Invalid config {self._source}. Expected {expected}. "
            f"Received: {received} in line {event.start_mark.line + 1}"
        )


def _reason(error):
    """Returns the reason of a YAML error in one line."""
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return reason if mark is None else f"{reason} in line {mark.line + 1}"
