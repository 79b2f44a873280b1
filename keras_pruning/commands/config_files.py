"""Checks YAML before it is parsed: size, repeated keys, unknown keys and aliases."""

import difflib
from pathlib import Path

from keras_pruning.errors import InputError

# A config has some kilobytes. Aliases can make a few lines stand for gigabytes.
_MOST_BYTES, _MOST_VALUES = 2**20, 100_000


def check_config_file(path, known):
    """Checks a config file before any of it is used.

    Args:
        path: path of a YAML file.
        known: names of all keys, those in a section as `section.key`, and of the sections.

    Raises:
        InputError: if the file is missing, too large, no text or no YAML, or if a key is unknown
            or repeated.
    """
    text = _read(Path(path))
    node = _composed(text, path)
    if not _is_mapping(node):
        raise InputError(
            f"Invalid config {path}. Expected sections and keys, for example "
            "`dataset: {name: digits}`. Received: " + ("an empty file" if node is None else "none")
        )
    # Name unknown keys with their lines, which jsonargparse does not
    sections = {name.partition(".")[0] for name in known if "." in name}
    for key, value in node.value:
        section = _text(key)
        _require_known(key, section, known, path)
        if section not in sections:
            continue
        if not _is_mapping(value):
            names = [name.partition(".")[2] for name in known if name.startswith(f"{section}.")]
            raise InputError(
                f"Invalid section `{section}` in {path}, line {_line(key)}. Expected keys among "
                f"{sorted(names)}. Received: {_text(value) or 'nothing'}"
            )
        for inner in _keys(value):
            _require_known(inner, f"{section}.{_text(inner)}", known, path)


def check_arguments(arguments):
    """Raises an `InputError` if a YAML value on the command line has a repeated key.

    Args:
        arguments: list of strings.
    """
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("--") else argument
        # Other text, such as a path, need not be YAML.
        if value.startswith(("{", "[")):
            _composed(value, "the command line", strict=False)


def closest(name, known):
    """Returns a sentence that suggests the most similar names, empty if none is similar."""
    # A key without its section, for example `epochs` for `probe.epochs`
    last = {other: other.rpartition(".")[2] for other in sorted(known)}
    matches = [other for other in last if last[other] == name]
    matches = matches or difflib.get_close_matches(name, last, 1)
    if not matches:
        close = difflib.get_close_matches(name.rpartition(".")[2], last.values(), 1)
        matches = [other for other in last if last[other] in close]
    return f". Did you mean {' or '.join(matches)}?" if matches else ""


def _read(path):
    """Returns the text of a config file. Its size is checked before it is read."""
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file" if path.exists() else "none"
        raise InputError(f"Missing config file. Expected a YAML file. Received: {path} ({kind})")
    # Looked up, because a device or an image of a disk would fill the memory
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise InputError(
            f"The config {path} is too large. Expected at most {_MOST_BYTES:,} bytes of YAML. "
            f"Received: {size:,}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The config {path} is no text in UTF-8. Expected a YAML file. "
            f"Received: the byte {error.object[error.start]:#04x} at position {error.start}"
        ) from error


def _composed(text, path, strict=True):
    """Returns the root node of YAML, checked for repeated keys and for the size of its aliases.

    Args:
        text: YAML.
        path: origin of the text, for messages.
        strict: boolean, whether text that is no YAML is an error.
    """
    # Commands without a config do without YAML.
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _count(node, {}, path)
    except yaml.YAMLError as error:
        if not strict:
            return None
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(
            f"Cannot read the config {path}{place}. Expected YAML. Received: text with a mistake "
            f"({reason})"
        ) from error
    except RecursionError as error:
        raise InputError(
            f"YAML is nested too deeply in {path}. Expected a few levels. Received: hundreds"
        ) from error
    return node


def _count(node, counted, path):
    """Returns the number of values below a node, in which aliases count each time.

    Args:
        node: node of PyYAML, `None` for an empty text.
        counted: dictionary from the `id` of the nodes that were counted before to their numbers,
            `None` for those around `node`.
        path: origin of the text, for messages.

    Raises:
        InputError: if there are too many, a value contains itself, or a key is repeated.
    """
    if node is None or isinstance(node.value, str):
        return 1
    if id(node) in counted:
        if counted[id(node)] is None:
            raise InputError(
                f"A value in {path} contains itself, line {_line(node)}. Expected none that does. "
                "Received: an alias of a value around it"
            )
        return counted[id(node)]
    # Marked as open, to notice an alias of a value inside of itself
    counted[id(node)] = None
    children = node.value
    if _is_mapping(node):
        _require_once(node, path)
        children = [child for pair in node.value for child in pair]
    total = 1 + sum(_count(child, counted, path) for child in children)
    if total > _MOST_VALUES:
        raise InputError(
            f"Too many values in {path}, line {_line(node)}. Expected at most {_MOST_VALUES:,}, "
            "with aliases counted each time. Received: more"
        )
    counted[id(node)] = total
    return total


def _require_once(node, path):
    """Raises an `InputError` if a mapping has a key twice."""
    lines = {}
    for key, _ in node.value:
        name = _text(key)
        if name in lines:
            raise InputError(
                f"The key `{name}` is given twice in {path}. Expected every key once. Received: "
                f"`{name}` in line {lines[name]} and in line {_line(key)}. Merge the two."
            )
        lines[name] = _line(key)


def _require_known(key, name, known, path):
    if name not in known:
        raise InputError(
            f"Unknown key `{name}` in {path}, line {_line(key)}. Expected keys of a config, which "
            f"--help lists. Received: {name}{closest(name, known)}"
        )


def _keys(mapping):
    """Yields the nodes of the keys of a mapping, and of the mappings that `<<` merges into it."""
    for key, value in mapping.value:
        if key.tag != "tag:yaml.org,2002:merge":
            yield key
            continue
        for merged in [value] if _is_mapping(value) else value.value:
            if _is_mapping(merged):
                yield from _keys(merged)


def _is_mapping(node):
    return getattr(node, "id", None) == "mapping"


def _text(node):
    return node.value if isinstance(node.value, str) else f"a {node.id}"


def _line(node):
    return node.start_mark.line + 1
