"""Plants wrong labels on purpose, so that the wrong ones are known."""

import numpy as np

from keras_pruning.arguments import require_label_noise, require_seed
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count

# Separates this random stream from the draw of `fraction`, which is seeded by the seed alone.
_STREAM = 1


def symmetric_noise(labels, fraction, seed):
    """Replaces a fraction of the labels, each by one of the other classes with equal probability.

    Only classes that have examples take part.

    Args:
        labels: integers `(examples,)`.
        fraction: float in [0, 1). Exactly round-half-up(fraction · N) labels are replaced. All
            examples are equally likely to be drawn.
        seed: integer >= 0. The same seed replaces the same labels by the same classes.

    Returns:
        A new int64 array `(examples,)`.

    Raises:
        InputError: if the fraction is outside [0, 1) or too small to replace a label, or if only
            one class has examples.
    """
    fraction, seed = require_label_noise(fraction), require_seed(seed)
    noisy = np.array(labels, dtype=np.int64)
    if fraction == 0:
        return noisy
    count = rounded_count(fraction, len(noisy))
    if count == 0:
        raise InputError(
            "Invalid `label_noise`. Expected a fraction that replaces at least one label of "
            f"{len(noisy)}. Received: label_noise={fraction}"
        )
    # A class without examples gets none, so that no class consists of wrong labels only.
    classes = np.unique(noisy)
    if len(classes) < 2:
        raise InputError(
            "Label noise replaces a label by another class. Expected examples of at least 2 "
            f"classes. Received: {len(classes)}"
        )
    rng = np.random.default_rng([seed, _STREAM])
    rows = rng.choice(len(noisy), count, replace=False)
    # A step of at least 1 around the circle of classes never leads back to the same class.
    places = np.searchsorted(classes, noisy[rows]) + rng.integers(1, len(classes), count)
    noisy[rows] = classes[places % len(classes)]
    return noisy
