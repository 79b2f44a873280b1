"""The one way in which commands hand lines, tables, warnings and errors to the terminal.

Names of classes, ids and files come from data. Characters in them that a terminal obeys are shown
as escapes, and nothing in them is read as markup.
"""

import contextlib
import io
import logging
import sys
import textwrap
import warnings

from keras_pruning.reports.terminal_text import defused

# Columns of a table in a file or a pipe, which have no width, unless it needs more.
_WIDTH, _WIDEST = 112, 10_000


def show(content):
    """Prints a line, or a `rich.table.Table` as wide as the terminal."""
    if isinstance(content, str):
        print(defused(content))
        return
    from rich.console import Console

    style = {"highlight": False, "markup": False, "emoji": False}
    width = None
    if not sys.stdout.isatty():
        width = max(_WIDTH, Console(width=_WIDEST, **style).measure(content).minimum)
    Console(width=width, **style).print(content)


def message(kind, text):
    """Returns the text of an error or a warning: a first line, and the others indented."""
    first, *others = str(text).strip().split("\n")
    rest = [textwrap.indent(defused(line), "  ") for line in others]
    return "\n".join([f"{kind}: {defused(first)}", *rest])


def show_message(kind, text):
    """Prints an error or a warning."""
    print(message(kind, text), file=sys.stderr)


@contextlib.contextmanager
def readable_messages():
    """Sends log messages, and the warnings of the block, to the terminal as readable lines."""
    # A character that the terminal cannot show must not end a command after its work.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_LineFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler])
    with warnings.catch_warnings():
        # Shown, never raised, whatever filters the process has.
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        yield


class _LineFormatter(logging.Formatter):
    """Formats every log message as one line."""

    def formatMessage(self, record):
        return defused(super().formatMessage(record))


def _show_warning(text, category, filename, lineno, file=None, line=None):
    # File and line of the code say nothing to a user of the command line.
    show_message("warning", text)
