"""Tables for the terminal."""

from keras_pruning.text import visible


def new_table(columns, words=(), min_widths=None, **style):
    """Returns a `rich.table.Table` without rows. Columns of numbers are aligned to the right.

    Args:
        columns: headings, a list of strings.
        words: headings of the columns of words, aligned to the left.
        min_widths: dictionary from headings to the fewest characters of their columns.
        **style: keyword arguments of `rich.table.Table`.
    """
    # Commands without tables do without Rich.
    from rich.table import Table
    from rich.text import Text

    table = Table(**style)
    for column in columns:
        table.add_column(
            # The name of a class or layer may look like markup.
            Text(visible(column)),
            justify="left" if column in words else "right",
            overflow="fold",
            min_width=(min_widths or {}).get(column),
        )
    return table


def add_row(table, *cells, **options):
    """Adds a row to a table of `new_table`.

    Args:
        table: `rich.table.Table`.
        *cells: strings, which may look like markup.
        **options: keyword arguments of `rich.table.Table.add_row`.
    """
    from rich.text import Text

    table.add_row(*[Text(visible(cell)) for cell in cells], **options)
