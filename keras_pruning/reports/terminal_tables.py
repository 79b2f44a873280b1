"""Tables for the terminal."""


def new_table(columns, words=(), min_widths=None, **style):
    """Returns a `rich.table.Table` without rows. Columns of numbers are aligned to the right.

    Args:
        columns: headings, a list of strings.
        words: headings of the columns of words, aligned to the left.
        min_widths: dictionary from headings to the fewest characters of their columns.
        **style: keyword arguments of `rich.table.Table`.
    """
    # Commands without tables do without Rich.
    from rich.markup import escape
    from rich.table import Table

    table = Table(**style)
    for column in columns:
        table.add_column(
            # The name of a class or layer may look like markup.
            escape(column),
            justify="left" if column in words else "right",
            overflow="fold",
            min_width=(min_widths or {}).get(column),
        )
    return table
