"""Extrapolation from a few examples to all, against arithmetic by hand."""

import pytest

from keras_pruning.preflight.lines import Line, Square, growing, together


def test_a_line_goes_through_the_first_and_the_last_point():
    line = Line.through([(10, 3.0), (20, 100.0), (110, 8.0)])
    assert line == Line(2.5, 0.05)
    assert line.at(1000) == 52.5


@pytest.mark.parametrize("points", [[(50, 2.0)], [(10, 5.0), (50, 2.0)], [(10, 0.1), (50, 2.0)]])
def test_a_line_is_proportional_if_noise_leaves_no_constant(points):
    """One point, a faster larger one, and a constant that would be negative."""
    line = Line.through(points)
    assert line == Line(0.0, 0.04)
    assert line.at(50) == 2.0


def test_a_square_counts_examples_and_pairs():
    seconds = {count: 0.02 * count + 0.001 * count**2 for count in (10, 100, 300)}
    curve = Square.through(list(seconds.items()))
    assert curve.at(2000) == pytest.approx(0.02 * 2000 + 0.001 * 2000**2)
    assert Square.through([(100, 5.0)]).at(400) == 20.0
    # Faster for each example: no pairs to be seen
    assert Square.through([(10, 5.0), (100, 5.0)]) == Square(0.05, 0.0)
    # Never less than nothing for each example
    assert Square.through([(10, 0.0), (100, 5.0)]).at(200) == pytest.approx(20.0)


def test_measurements_grow_until_one_takes_long_enough():
    asked = []

    def measure(count):
        asked.append(count)
        return count / 1000

    points = growing(measure, 10, 100_000, 1.0)
    assert asked == [10, 80, 640, 1920]
    assert points[-1] == (1920, 1.92)
    # Tracing alone is no measurement
    assert growing(lambda count: 5 + count / 1000, 10, 100_000, 0.05) == [
        (10, 5.01),
        (30, 5.03),
        (90, 5.09),
    ]
    assert growing(measure, 10, 30, 1.0) == [(10, 0.01), (30, 0.03)]
    assert growing(measure, 256, 30, 1.0) == [(30, 0.03)]


def test_processes_share_the_work():
    assert together([1.0, 2.0, 3.0], 1) == 6.0
    # 1 then 3 in one process, 2 in the other
    assert together([1.0, 2.0, 3.0], 2) == 4.0
    assert together([], 3) == 0.0
