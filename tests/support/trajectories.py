"""Scores driven by hand, with made-up outputs of a network epoch by epoch."""

import numpy as np

import keras_pruning as kp
from keras_pruning.models.outputs import Outputs


def random_logits(epochs, examples, classes, seed=0):
    """Trajectories `(epochs, examples, classes)` that wander, and labels `(examples,)`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(epochs, examples, classes))
    return steps.cumsum(axis=0).astype("float32"), rng.integers(classes, size=examples)


def logits_of_label(probabilities):
    """Logits `(epochs, examples, 3)` for the label 0 from its probabilities `(epochs, examples)`.

    The other two classes share the rest.
    """
    label = np.asarray(probabilities, float)
    return np.log(np.stack([label, (1 - label) / 2, (1 - label) / 2], axis=-1))


def softmax(logits):
    exponents = np.exp(np.float64(logits) - np.max(logits, axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def begin(score, epochs, labels, classes):
    """Resets a score for a run of `epochs` epochs and returns the epochs that it observes."""
    x = np.zeros((len(labels), 1), "float32")
    due = score.epochs_due(epochs)
    score.reset(kp.Examples.from_arrays(x, labels, num_classes=classes), due)
    return due


def drive(score, logits, labels):
    """The result of a run with these logits, `(epochs, examples, classes)`."""
    labels, logits = np.asarray(labels), np.float32(logits)
    for epoch in begin(score, len(logits), labels, logits.shape[-1]):
        score.update(np.asarray(score.observe(Outputs(logits[epoch - 1], labels))))
    return score.result()


def drive_scattered(score, logits, labels, seed=0):
    """The same, but each example's epochs come in their own time, among others in any order."""
    rng = np.random.default_rng(seed)
    due = begin(score, len(logits), labels, logits.shape[-1])
    values = np.array([score.observe(Outputs(logits[epoch - 1], labels)) for epoch in due])
    seen = np.zeros(len(labels), int)
    while (seen < len(due)).any():
        waiting = rng.permutation(np.flatnonzero(seen < len(due)))
        rows = waiting[: rng.integers(1, len(labels) + 1)]
        score.update(values[seen[rows], rows], rows)
        seen[rows] += 1
    return score.result()
