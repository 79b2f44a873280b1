"""Pages that are views of other results: each time they replace their own earlier version."""

import os
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.reports.html.page import write_page
from keras_pruning.storage import require_writable

NAME = "report.html"
# Near the beginning of every page
_MARK = b'<meta name="generator" content="keras_pruning">'
_HEAD = 512


def require_free(path):
    """Raises an `InputError` unless a page may be written to `path`.

    A page may replace an earlier page of this package, and nothing else.

    Args:
        path: path of the page.
    """
    path = Path(path)
    # A link to a missing file exists too
    if not os.path.lexists(path):
        require_writable(path)
    elif not (path.is_file() and _is_page(path)):
        raise InputError(
            f"{path} exists already and is not overwritten. Expected a free path, or an earlier "
            f"report of this package. Received: {'a folder' if path.is_dir() else 'another file'}. "
            "Remove it or choose another path."
        )


def write_view(path, title, sections, summary=""):
    """Writes a page as `write_page`, and replaces an earlier page of this package.

    Raises:
        InputError: if another file is in the way, or the page cannot be written.
    """
    require_free(path)
    write_page(path, title, sections, summary, overwrite=True)


def _is_page(path):
    try:
        with open(path, "rb") as file:
            return _MARK in file.read(_HEAD)
    except OSError:
        return False
