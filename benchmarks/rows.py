"""The rows of the table, and what every benchmark does with them on its own."""

import argparse
import dataclasses
import inspect
import json
import sys
from pathlib import Path


@dataclasses.dataclass
class Row:
    """One thing that was measured.

    Args:
        measured: what ours did, and on what.
        against: what the reference did.
        ours: median of ours.
        reference: median of the reference, if there is one.
        ratio: median of ours : reference, pair by pair.
        lowest: the lowest of these ratios.
        highest: the highest of them.
        pairs: number of pairs.
        peak: MiB that ours took beyond what its process held before.
        unit: of `ours` and `reference`.
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

    @classmethod
    def of_one_pair(cls, measured, against, ours, reference, **options):
        """A row of a single pair."""
        ratio = ours / reference
        return cls(measured, against, ours, reference, ratio, ratio, ratio, **options)


def main(measure):
    """Prints the table of one benchmark; with `--rows FILE` it puts the rows there instead.

    Args:
        measure: function of integers that yields `Row`s; the command line may give the integers.
    """
    sizes = " ".join(name.upper() for name in inspect.signature(measure).parameters)
    parser = argparse.ArgumentParser(description=f"Sizes, all with a default: {sizes}")
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--rows", type=Path, help="file for the rows, a JSON object a line")
    arguments = parser.parse_args()
    if arguments.rows:
        with arguments.rows.open("a") as file:
            for row in measure(*arguments.sizes):
                print(json.dumps(dataclasses.asdict(row)), file=file, flush=True)
        return
    from table import show

    show({Path(sys.argv[0]).name: list(measure(*arguments.sizes))})


def read(path):
    """The rows in a file of `main`."""
    return [Row(**json.loads(line)) for line in path.read_text().splitlines()]


def say(text):
    """A line about the progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
