"""`digits`: the 1,797 handwritten digits of 8 × 8 pixels that scikit-learn brings along."""

import numpy as np

from keras_pruning.examples.examples import Examples
from keras_pruning.examples.fractions import stratified_rows
from keras_pruning.examples.inputs import Inputs

TEST_EXAMPLES = 360


def load(location, split, data_dir=None, image_size=None):
    """The digits, pixels scaled from 0 … 16 to [0, 1], 1,437 to train on and 360 to test.

    The split is stratified and always the same. An id is the position in scikit-learn's data set.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    test = stratified_rows(digits.target, TEST_EXAMPLES, np.random.default_rng(0))
    rows = test if split == "test" else np.setdiff1d(np.arange(len(digits.target)), test)
    pixels = digits.images[rows, :, :, np.newaxis].astype(np.float32) / 16
    ids = [f"digits-{row:04d}" for row in rows]
    return Examples(Inputs(pixels), digits.target[rows], ids, 10, "digits", split)
