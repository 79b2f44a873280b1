"""JSON files with a digest, so that damage is noticed when they are read."""

import hashlib
import json
import numbers
import warnings
from pathlib import Path

from keras_pruning.errors import InputError

RECIPE = "recipe.json"
DIGEST = "digest"


def json_text(value, indent=None):
    """Returns `value` as JSON, with NumPy numbers as numbers."""
    return json.dumps(value, indent=indent, default=_as_number)


def write_json(path, value):
    """Writes a dictionary as indented JSON, with its digest as the last key."""
    # As JSON reads it back: tuples become lists, keys become strings.
    content = json.loads(json_text(value))
    content[DIGEST] = _digest(content)
    Path(path).write_text(json_text(content, indent=2) + "\n", encoding="utf-8")


def read_json(path):
    """Returns the dictionary in a JSON file, without its digest.

    Warns if the file has no digest.

    Raises:
        InputError: if the file is missing, damaged or without a dictionary.
    """
    content, is_verified = load_json(path)
    if not is_verified:
        warnings.warn(without_digest(path), UserWarning, stacklevel=2)
    return content


def load_json(path):
    """Returns the dictionary in a JSON file, and whether its digest was there to verify.

    Raises:
        InputError: if the file is missing, damaged or without a dictionary.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        current = _digest(content)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"Cannot read {path} as JSON: {error}. Expected a file that this package wrote. "
            "Remove it and run the command again."
        ) from error
    if not isinstance(content, dict):
        raise InputError(
            f"Cannot read {path} as JSON of this package. Expected a dictionary. "
            f"Received: {type(content).__name__}"
        )
    if DIGEST not in content:
        return content, False
    if content.pop(DIGEST) != current:
        raise InputError(damaged(path))
    return content, True


def damaged(path):
    """Returns the message about a file whose content does not fit its digest."""
    return (
        f"{path} is damaged or was edited. Expected the content that its digest was made of. "
        "Received: other content. Restore the file from a copy, or remove it and make it again."
    )


def without_digest(path):
    """Returns the warning about a file that damage cannot be noticed in."""
    return (
        f"{path} has no digest, so damage to it cannot be noticed. Version 0.2.0 or earlier, or "
        "another program, wrote it. Make it again to have it checked."
    )


def _digest(content):
    """Returns a hash over JSON without the digest that it may have."""
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key != DIGEST}
    text = json.dumps(content, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _as_number(value):
    """Returns a NumPy number as Python's own."""
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
