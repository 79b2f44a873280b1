"""Writes CSV files that a spreadsheet opens without running anything."""

import csv

# A cell that begins with one of these is a formula for spreadsheets. The apostrophe is one of them,
# so that two texts stay different.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
# Control characters, which a terminal obeys, and those that turn the direction of the text around
# them. Tabs and the ends of lines stay, because a quoted cell may have them.
_CONTROLS = [code for code in [*range(32), *range(127, 160)] if chr(code) not in "\t\n\r"]
_TURNS = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES = {
    code: chr(code).encode("unicode_escape").decode("ascii") for code in [*_CONTROLS, *_TURNS]
}


def write_csv(path, header, rows):
    """Writes a CSV file in UTF-8. Text that a spreadsheet would run is defused.

    Args:
        path: path of the file, which is replaced if it exists.
        header: list of the names of the columns.
        rows: iterable of rows, iterables of one value for each column.
    """
    # An unpaired surrogate, as in the name of a file that is no UTF-8, is written as \udc80.
    with open(path, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(map(spreadsheet_text, header))
        # Numbers are most of the cells, so they are told apart here.
        writer.writerows(
            [spreadsheet_text(cell) if isinstance(cell, str) else cell for cell in row]
            for row in rows
        )


def spreadsheet_text(value):
    """Returns a value for a cell, text without anything that a spreadsheet or a terminal obeys.

    Text that looks like a formula gets an apostrophe in front. Control characters become escapes.
    Numbers, and text that is a number, stay as they are.
    """
    if not isinstance(value, str):
        return value
    if not value.isprintable():
        escaped = value.translate(_ESCAPES)
        # A text that has the characters of an escape already must stay different
        value = escaped if escaped == value else value.replace("\\", r"\\").translate(_ESCAPES)
    if not value.lstrip(" ").startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
