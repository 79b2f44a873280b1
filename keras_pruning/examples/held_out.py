"""Draws a test set from examples that have none."""

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count, stratified_rows


def held_out(examples, test_fraction, split):
    """Returns the training or the test part of examples, drawn stratified and always the same.

    Args:
        examples: all `Examples` of a source.
        test_fraction: float in (0, 1). Round-half-up(fraction · N) examples are held out.
        split: `"train"` or `"test"`.

    Raises:
        InputError: if no example would be held out, or all.
    """
    total = keep_count(test_fraction, len(examples), "test_fraction")
    if total == len(examples):
        raise InputError(
            "Invalid `test_fraction`. Expected a fraction that leaves at least one example of "
            f"{total} to train on. Received: test_fraction={test_fraction}"
        )
    is_test = np.zeros(len(examples), bool)
    is_test[stratified_rows(examples.labels, total, np.random.default_rng(0))] = True
    part = examples.at(np.flatnonzero(is_test if split == "test" else ~is_test))
    part.split = split
    return part
