"""The explanation of a subset as tables on the terminal."""

from keras_pruning.reports.terminal_tables import new_table


def as_lines_and_tables(explanation):
    """Yields the name of a subset, its table of classes, its table of overlaps and the remarks.

    Args:
        explanation: `keras_pruning.selection.explanation.Explanation`.
    """
    yield explanation.name
    for headings, rows in (explanation.class_table(), explanation.overlap_table()):
        table = new_table(headings, words=headings[:1])
        for row in rows:
            table.add_row(*row)
        yield table
    yield from explanation.remarks()
