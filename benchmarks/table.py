"""The table of all benchmarks, on the terminal and in Markdown, with the machine it is from."""

import datetime
import importlib.metadata
import os
import platform
import re
from pathlib import Path

COLUMNS = (
    "ours",
    "the reference",
    "ours takes",
    "it takes",
    "ratio",
    "spread",
    "peak of ours",
    "others",
)
NOTE = (
    "Ratio: median of ours : reference, pair by pair. Below 1, ours is faster. Spread: its 95 % "
    "interval, or the range of fewer than six pairs. Peak: peak resident memory of the first call "
    "of ours, minus the memory of its process before the call (imports, data, model). Others: CPU "
    "cores that other processes used meanwhile."
)
_TEXT_COLUMNS = 2
_DECIMALS = {"s": 2, "MiB": 1, "%": 3}
_PACKAGES = (
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "numpy",
    "scikit-learn",
    "faiss-cpu",
    "torch",
    "datagnosis",
)


def show(rows_of):
    """Prints the table.

    Args:
        rows_of: dictionary from the name of a benchmark to its list of `Row`s.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=NOTE, caption_justify="left")
    for number, column in enumerate(COLUMNS):
        is_text = number < _TEXT_COLUMNS
        table.add_column(column, justify="left" if is_text else "right", no_wrap=not is_text)
    for name, rows in rows_of.items():
        table.add_section()
        table.add_row(f"[bold]{name}[/bold]")
        for row in rows:
            table.add_row(*cells(row))
    Console(width=max(Console().width, 132)).print(table)


def markdown(rows_of, load):
    """Returns the table in Markdown, with the date and the machine.

    Args:
        rows_of: as for `show`.
        load: load average before the first benchmark. If it is not about 0, other processes used
            the machine. OpenMP loses most then, because its threads wait for each other.
    """
    lines = [
        f"{datetime.date.today():%d %B %Y}. {machine()} Load before: {load:.1f}.",
        "",
        "| " + " | ".join(("benchmark", *COLUMNS)) + " |",
        "|---" + "|---" * _TEXT_COLUMNS + "|---:" * (len(COLUMNS) - _TEXT_COLUMNS) + "|",
    ]
    for name, rows in rows_of.items():
        for number, row in enumerate(rows):
            lines.append("| " + " | ".join(("" if number else f"`{name}`", *cells(row))) + " |")
    return "\n".join([*lines, "", NOTE, ""])


def cells(row):
    """Returns the texts of a row, one for each column."""
    spread = f"{row.lowest:.3f} … {row.highest:.3f} of {row.pairs}" if row.pairs > 1 else ""
    return (
        row.measured,
        row.against,
        _amount(row.ours, row.unit),
        _amount(row.reference, row.unit),
        "" if row.ratio is None else f"{row.ratio:.3f}",
        spread,
        "" if row.peak is None else f"{row.peak:.0f} MiB",
        "" if row.others is None else f"{row.others:.2f}",
    )


def machine():
    """Returns the processor, its cores, the memory and the versions of all libraries, in a line."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version}" for name, version in _versions())
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, {versions}."
    )


def _versions():
    for name in _PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _amount(value, unit):
    if value is None:
        return ""
    # Other units are counted.
    return f"{value:.{_DECIMALS.get(unit, 0)}f} {unit}"
