"""`digits`: the 1,797 handwritten digits of 8 × 8 pixels that are part of scikit-learn."""

import numpy as np

from keras_pruning.examples.examples import Examples
from keras_pruning.examples.fractions import stratified_rows
from keras_pruning.examples.inputs import Inputs

TEST_EXAMPLES = 360


def load(location, split, data_dir=None, image_size=None):
    """Loads 1,437 digits for training or 360 for testing.

    The inputs are float32 `(examples, 8, 8, 1)`, scaled from 0 … 16 to [0, 1]. The split is
    stratified and always the same. An id contains the position in scikit-learn's data set.

    Args:
        location: not used.
        split: `"train"` or `"test"`.
        data_dir: not used.
        image_size: not used.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    test = stratified_rows(digits.target, TEST_EXAMPLES, np.random.default_rng(0))
    rows = test if split == "test" else np.setdiff1d(np.arange(len(digits.target)), test)
    pixels = digits.images[rows, :, :, np.newaxis].astype(np.float32) / 16
    ids = [f"digits-{row:04d}" for row in rows]
    return Examples(Inputs(pixels), digits.target[rows], ids, 10, "digits", split)
