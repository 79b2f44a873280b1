"""Tables of a page."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """A table. Its first column names the rows.

    Args:
        caption: sentence about the content of the table.
        headers: list of the headings of the columns.
        rows: list of rows, lists of one text for each column.
        align: one letter for each column, `"l"` for words and `"r"` for numbers. Defaults to words
            in the first column and numbers in the others.
    """

    caption: str
    headers: list
    rows: list
    align: str = field(default="")

    def __post_init__(self):
        if not self.align:
            object.__setattr__(self, "align", "l" + "r" * (len(self.headers) - 1))
        widths = {len(self.headers), len(self.align), *map(len, self.rows)}
        if len(widths) != 1:
            raise ValueError(f"Rows of different lengths in {self.caption!r}: {sorted(widths)}")
