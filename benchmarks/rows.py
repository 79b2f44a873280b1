"""The rows of the table, and the command line of a single benchmark."""

import argparse
import dataclasses
import inspect
import json
import sys
from pathlib import Path

import load


@dataclasses.dataclass
class Row:
    """One measurement of ours, with or without a reference.

    Args:
        measured: description of our work and its data.
        against: description of the reference.
        ours: median of ours.
        reference: median of the reference, if there is one.
        ratio: median of ours : reference, pair by pair.
        lowest, highest: its 95 % interval, or the range of fewer than six pairs.
        pairs: number of pairs.
        peak: memory of ours in MiB, without the memory of its process before.
        unit: unit of `ours` and `reference`.
        others: CPU cores that other processes used meanwhile, on average.
    """

    measured: str
    against: str
    ours: float
    reference: float | None = None
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None
    pairs: int = 1
    peak: float | None = None
    unit: str = "s"
    others: float | None = None

    @classmethod
    def of_one_pair(cls, measured, against, ours, reference, **options):
        """Returns a row of a single pair."""
        ratio = ours / reference
        return cls(measured, against, ours, reference, ratio, ratio, ratio, **options)


def main(measure):
    """Prints the table of one benchmark, or writes its rows to the file of `--rows`.

    Args:
        measure: function of integers, all with a default, that yields `Row`s. The command line sets
            the integers.
    """
    sizes = " ".join(name.upper() for name in inspect.signature(measure).parameters)
    parser = argparse.ArgumentParser(description=f"Sizes, all with a default: {sizes}")
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--rows", type=Path, help="file for the rows, a JSON object a line")
    arguments = parser.parse_args()
    rows = load.beside(measure(*arguments.sizes))
    if arguments.rows:
        with arguments.rows.open("a") as file:
            for row in rows:
                print(json.dumps(dataclasses.asdict(row)), file=file, flush=True)
        return
    from table import show

    show({Path(sys.argv[0]).name: list(rows)})


def read(path):
    """Returns the rows in a file of `main`."""
    return [Row(**json.loads(line)) for line in path.read_text().splitlines()]


def say(text):
    """Prints a line about the progress to stderr."""
    print(text, file=sys.stderr, flush=True)
