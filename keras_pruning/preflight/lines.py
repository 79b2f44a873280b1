"""Extrapolation of seconds from a few examples to all of them."""

import heapq
from typing import NamedTuple

# A measurement grows at most by this factor from one size to the next.
_GROWTH = 8


class Line(NamedTuple):
    """Seconds of work that grows with the number of examples.

    Args:
        constant: seconds of no example.
        slope: seconds of each example.
    """

    constant: float
    slope: float

    def at(self, count):
        """Returns the seconds of `count` examples."""
        return self.constant + self.slope * count

    @classmethod
    def through(cls, points):
        """Returns the line through the first and the last of some measurements.

        Args:
            points: list of pairs of a number of examples and seconds, ascending.
        """
        (fewest, least), (most, seconds) = points[0], points[-1]
        slope = (seconds - least) / (most - fewest) if most > fewest else 0.0
        # Noise can make the larger size faster, or the constant negative.
        if slope <= 0 or seconds < slope * most:
            return cls(0.0, seconds / most)
        return cls(seconds - slope * most, slope)


class Square(NamedTuple):
    """Seconds of work on the pairs of examples.

    Args:
        slope: seconds of each example.
        square: seconds of each pair.
    """

    slope: float
    square: float

    def at(self, count):
        """Returns the seconds of `count` examples, each paired with each."""
        return count * (self.slope + self.square * count)

    @classmethod
    def through(cls, points):
        """Returns the curve through the last two of some measurements.

        Args:
            points: as for `Line.through`.
        """
        *_, (fewer, less), (most, seconds) = [points[0], *points]
        # A line through the seconds of each example
        rates = less / fewer, seconds / most
        square = (rates[1] - rates[0]) / (most - fewer) if most > fewer else 0.0
        square = min(max(square, 0.0), rates[1] / most)
        return cls(rates[1] - square * most, square)


def growing(measure, first, total, seconds, growth=_GROWTH):
    """Measures ever more examples until more of them have taken long enough.

    The first measurement does not count, because tracing a graph may have taken most of it.

    Args:
        measure: function from a number of examples to seconds.
        first: number of examples to begin with.
        total: number of examples that there are.
        seconds: time beyond that of the first measurement from which on another is the last.
        growth: largest factor from one number to the next.

    Returns:
        List of pairs of a number of examples and seconds, ascending.
    """
    count, points = min(first, total), []
    while True:
        took = measure(count)
        points.append((count, took))
        if count == total or took - points[0][1] >= seconds:
            return points
        factor = min(growth, max(3.0, seconds / max(took, 1e-9)))
        count = min(total, round(count * factor))


def together(seconds, jobs):
    """Returns the time of several pieces of work, of which `jobs` run at the same time.

    Args:
        seconds: list of the seconds of each, in the order in which they begin.
        jobs: number of processes.
    """
    ends = [0.0] * jobs
    for part in seconds:
        heapq.heapreplace(ends, ends[0] + part)
    return max(ends)
