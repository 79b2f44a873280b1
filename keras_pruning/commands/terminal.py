"""The one way in which commands hand lines and tables to the terminal."""

import sys

# Columns of a table in a file or a pipe, which have no width.
_WIDTH = 108


def show(content):
    """Prints a line as it is, and a `rich.table.Table` as wide as the terminal."""
    if isinstance(content, str):
        print(content)
        return
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False).print(content)
