"""Scales and ticks of static pictures."""

import math
from dataclasses import dataclass

from keras_pruning.reports.html.figures import MINUS


@dataclass(frozen=True)
class Axis:
    """One axis: numbers to places.

    Args:
        title: title of the axis.
        low: smallest number that is drawn.
        high: largest one.
        start: place of the smallest number.
        end: place of the largest one.
        log: whether the places follow the logarithm.
        ticks: list of the numbers that are labelled.
    """

    title: str
    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: list

    def place(self, number):
        """Returns the place of a number, with one decimal."""
        low, high, at = self.low, self.high, number
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def labels(self):
        """List of pairs, the place and the text of each tick."""
        return [(self.place(tick), f"{tick:,.4g}".replace("-", MINUS)) for tick in self.ticks]


def axis(title, numbers, start, end, log=False, ticks=None):
    """Returns an `Axis` that holds all numbers.

    Args:
        title: title of the axis.
        numbers: list of at least one number, above 0 on a logarithmic axis.
        start: place of the smallest number.
        end: place of the largest one.
        log: whether the axis is logarithmic.
        ticks: list of the numbers to label. Defaults to round ones.
    """
    low, high = min(numbers), max(numbers)
    # A single number gets room on both sides
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    chosen = ticks or (log_ticks(low, high) if log else linear_ticks(low, high))
    return Axis(title, min(low, *chosen), max(high, *chosen), start, end, log, chosen)


def linear_ticks(low, high, most=7):
    """Returns round numbers from at most `low` to at least `high`, evenly spaced."""
    # The smallest round step that needs no more ticks
    rough = (high - low) / (most - 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(place * step, 10) for place in range(first, last + 1)]


def log_ticks(low, high):
    """Returns 1, 2 and 5 times powers of ten, from at most `low` to at least `high`."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    candidates = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    below = max(number for number in candidates if number <= low)
    above = min(number for number in [*candidates, 10 ** (powers[-1] + 1)] if number >= high)
    return [number for number in [*candidates, above] if below <= number < above] + [above]
