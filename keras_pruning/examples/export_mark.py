"""The mark in a file of `export`, so that `load_examples` reads the same examples again."""

import json

from keras_pruning.errors import InputError

# Name of the array of an .npz file, and of the entry in the schema of a Parquet file.
MARK = "keras_pruning"
_VERSION = 1


def mark(**content):
    """Returns the text of a mark: JSON of everything that the columns of a file do not say."""
    return json.dumps({"version": _VERSION, **content})


def marked(text, location):
    """Returns the content of a mark, a dictionary.

    Args:
        text: text of the mark.
        location: path of the file, for messages.

    Raises:
        InputError: if it is damaged, or if a later version has written it.
    """
    try:
        content = json.loads(text)
        if content["version"] == _VERSION:
            return content
        received = f"version {content['version']}"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        received = f"{type(error).__name__}: {error}"
    raise InputError(
        f"Cannot read the mark {MARK!r} in {location}. Expected one of version {_VERSION}, as "
        f"`export` writes it. Received: {received}. Export the examples again."
    )
