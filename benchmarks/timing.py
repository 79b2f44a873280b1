"""Paired timings: ours and the reference in turn, in one process."""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FASHION_MNIST = "idx:/usr/share/datasets/fashion-mnist"


def paired(ours, reference, repetitions):
    """The seconds of two functions and their ratio, called in turn after a first call of each.

    Args:
        ours: function of no arguments.
        reference: function of no arguments.
        repetitions: number of counted pairs.

    Returns:
        Dictionary of the medians `ours` and `reference`, in seconds, and of `ratio`, `lowest` and
        `highest`: median and range of the ratios pair by pair.
    """
    ours(), reference()
    seconds = [(_seconds(ours), _seconds(reference)) for _ in range(repetitions)]
    ratios = [mine / other for mine, other in seconds]
    return {
        "ours": statistics.median(mine for mine, _ in seconds),
        "reference": statistics.median(other for _, other in seconds),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def show(title, rows):
    """Prints a table of what `paired` measured.

    Args:
        title: what was measured, and on what.
        rows: dictionary from a description to what `paired` gave.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("ours against the reference")
    for name in ("ours (s)", "reference (s)", "ratio", "range"):
        table.add_column(name, justify="right")
    for name, row in rows.items():
        table.add_row(
            name,
            f"{row['ours']:.2f}",
            f"{row['reference']:.2f}",
            f"{row['ratio']:.3f}",
            f"{row['lowest']:.3f} … {row['highest']:.3f}",
        )
    Console(width=108).print(table)


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
