"""Shares of the classes among the hardest examples."""

import numpy as np

from keras_pruning.examples.fractions import rounded_count

# Fraction of the examples that count as the hardest.
HARDEST = 0.1


def hardest_class_shares(difficulty, labels, num_classes, part=HARDEST):
    """Returns the share of each class among the hardest examples.

    Examples that tie at the border count in parts: the mean over all ways to break the tie.

    Args:
        difficulty: floats `(examples,)`, higher is harder.
        labels: integers `(examples,)`.
        num_classes: number of classes C.
        part: fraction of the examples that counts as the hardest, at least one example.

    Returns:
        Floats `(classes,)` that sum to 1.
    """
    count = max(1, rounded_count(part, len(labels)))
    # The difficulty of the last example that is in
    border = np.sort(difficulty)[-count]
    inside, tied = difficulty > border, difficulty == border
    # Ties share the places that are left
    weights = inside + tied * ((count - inside.sum()) / tied.sum())
    return np.bincount(labels, weights, num_classes) / count
