"""Accuracy and loss of a trained model."""

import numpy as np

from keras_pruning.backend.tensorflow.passes import OutputPass
from keras_pruning.models.graph import as_logits


def evaluate(model, examples, batch_size=512):
    """Accuracy and loss of `model` on `examples`, in eval mode.

    Returns:
        Dictionary of `test_accuracy`, `test_loss` (mean cross-entropy) and `class_accuracy`, a
        list of one accuracy a class, `None` for a class without examples.
    """
    observed = OutputPass(
        as_logits(model),
        examples,
        {
            "correct": lambda outputs: outputs.correct,
            "loss": lambda outputs: outputs.cross_entropy,
        },
        batch_size,
    )()
    correct = observed["correct"].astype(np.float64)
    return {
        "test_accuracy": float(correct.mean()),
        "test_loss": float(observed["loss"].mean(dtype=np.float64)),
        "class_accuracy": [
            float(correct[examples.labels == label].mean()) if members else None
            for label, members in enumerate(
                np.bincount(examples.labels, minlength=examples.num_classes)
            )
        ],
    }
