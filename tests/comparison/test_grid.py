"""The evaluation seeds of a sweep: those of all methods, and more of random pruning."""

import pytest

from keras_pruning.comparison.grid import evaluation_seeds
from keras_pruning.config import SweepConfig


@pytest.mark.parametrize(
    ("options", "first", "expected"),
    [
        ({}, 0, (range(8), range(16))),
        ({"seeds": 2}, 5, ([5, 6], [5, 6])),
        ({"seeds": [7, 3]}, 0, ([7, 3], [7, 3])),
        ({"seeds": 7}, 0, (range(7), range(7))),
        ({"seeds": [*range(7), 9]}, 0, ([*range(7), 9], [*range(7), *range(9, 18)])),
        ({"seeds": 2, "baseline_seeds": 3}, 1, ([1, 2], [1, 2, 3])),
        ({"seeds": 4, "baseline_seeds": [9]}, 0, (range(4), [9])),
    ],
)
def test_random_has_twice_the_seeds_from_eight_on(options, first, expected):
    assert evaluation_seeds(SweepConfig(**options), first) == tuple(map(list, expected))
