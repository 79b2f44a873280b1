"""Evaluates a trained model: accuracy, loss and accuracy of each class."""

import numpy as np

from keras_pruning.backend.tensorflow.flops import forward_flops
from keras_pruning.backend.tensorflow.passes import OutputPass
from keras_pruning.models.heads import as_logits


def evaluate(model, examples, batch_size=512):
    """Computes accuracy and loss of `model` on `examples`, in eval mode.

    Args:
        model: Keras model with one output for each class.
        examples: `Examples`.
        batch_size: number of examples in a batch.

    Returns:
        Dictionary of `test_accuracy` (a fraction), `test_loss` (mean cross-entropy in nats) and
        `class_accuracy`, a list of one accuracy for each class, `None` for a class without
        examples.
    """
    # One pass records both values of every example.
    observed = OutputPass(
        as_logits(model, spec=examples.spec),
        examples,
        {
            "correct": lambda outputs: outputs.correct,
            "loss": lambda outputs: outputs.cross_entropy,
        },
        batch_size,
    )().read()
    # Averaged in float64, so that the accuracy of many examples is exact.
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


def evaluation_flops(model, examples, count, batch_size=256):
    """Returns the floating-point operations of forward passes of examples, in eval mode.

    Args:
        model: Keras model with one output for each class.
        examples: `Examples`.
        count: number of examples that pass.
        batch_size: number of examples in a batch.

    Returns:
        Integer, or `None` if the operations of the model cannot be counted.
    """
    of_example = forward_flops(as_logits(model, spec=examples.spec), examples.spec, batch_size)
    return None if of_example is None else round(of_example * count)
