"""A comparison of finished runs: everything that the terminal, the files and the page show."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison of all runs in a folder.

    Args:
        runs: list of `Run`.
        rows: list of `Row`, one for each method and fraction.
        classes: list of `ClassRow`, one for each of their classes.
        tables: dictionary from data fractions to the `ScoreTable` of their training examples.
        examples: dictionary from data fractions to the `Examples` of the tables, empty if they
            cannot be loaded.
        ledger: list of `LedgerRow`, the costs of each row, in the order of `rows`.
        smallest: dictionary from tuples of data fraction and method to the smallest keep fraction
            that is shown to keep full accuracy.
        scaling: list of `ScalingRow`.
        scorings: list of `Scoring`, the costs of the score tables.
        missing: list of the runs that a sweep asks for and that are not finished, tuples of data
            fraction, keep fraction, method and seed.
        suspects: `SuspectList` of the examples of the largest data fraction, or `None`.
    """

    runs: list
    rows: list
    classes: list
    tables: dict
    examples: dict
    ledger: list
    smallest: dict
    scaling: list
    scorings: list
    missing: list = ()
    suspects: object = None
