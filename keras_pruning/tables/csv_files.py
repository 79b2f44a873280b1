"""Writes CSV files that a spreadsheet shows and does not run."""

import csv

# A spreadsheet takes a cell that begins so for a formula. The last four are their wide forms.
_FORMULA = tuple("=+-@＝＋－＠")
_CONTROL = ("\t", "\r", "\n")


def write_csv(path, header, rows):
    """Writes a header and rows as CSV in UTF-8.

    Text that a spreadsheet would take for a formula gets a leading apostrophe. Numbers stay as they
    are, also as text.

    Args:
        path: path of the file, which is replaced.
        header: the headings of the columns.
        rows: iterable of rows, each with a value for every heading.
    """
    # A file name that is no Unicode text must not end the command.
    with open(path, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(map(_defused, header))
        writer.writerows(map(_defused, row) for row in rows)


def _defused(value):
    if not isinstance(value, str):
        return value
    suspicious = value.startswith(_CONTROL) or value.lstrip().startswith(_FORMULA)
    return f"'{value}" if suspicious and not _is_number(value) else value


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
