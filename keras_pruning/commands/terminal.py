"""The one way in which commands hand lines, tables, warnings and errors to the terminal.

Names of classes, files and scores may hold anything. All text passes `keras_pruning.text`.
"""

import contextlib
import logging
import sys
import warnings

from keras_pruning.text import show_warning, visible, visible_lines

# Columns of a table in a file or a pipe, which have no width.
_WIDTH = 108


def show(content):
    """Prints a line, or a `rich.table.Table` as wide as the terminal."""
    if isinstance(content, str):
        print(visible(content))
        return
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False).print(content)


def show_error(message):
    """Prints the message of an error."""
    print(f"error: {visible_lines(message)}", file=sys.stderr)


class LogFormatter(logging.Formatter):
    """Formats a record of a log as its message alone."""

    def format(self, record):
        return visible_lines(super().format(record))


@contextlib.contextmanager
def use_terminal():
    """Sends log and warnings to the terminal, and lets no character that it lacks end a command."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LogFormatter("%(message)s"))
    # Without `force`, a caller's own handlers stay.
    logging.basicConfig(handlers=[handler])
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        yield
