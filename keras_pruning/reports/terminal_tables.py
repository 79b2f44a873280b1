"""Tables for the terminal."""

from keras_pruning.reports.terminal_text import defused


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

    class PlainTable(Table):
        """A table whose cells are plain text: the name of a class may look like markup."""

        def add_row(self, *cells, **options):
            super().add_row(*[Text(defused(cell)) for cell in cells], **options)

    table = PlainTable(**style)
    for column in columns:
        table.add_column(
            Text(defused(column), "table.header"),
            justify="left" if column in words else "right",
            overflow="fold",
            min_width=(min_widths or {}).get(column),
            # Otherwise Rich narrows the column, widens it again and cuts off the last ones
            no_wrap=column in (min_widths or {}),
        )
    return table
