"""The cost of scoring with one model: examples that pass through it, its operations, seconds."""

from keras_pruning.backend.tensorflow import flops
from keras_pruning.models.heads import as_logits

# Examples in the batch that is traced. The operations of an example hardly depend on it.
_BATCH_SIZE = 256


def cost_of(passes, seconds, model=None, spec=None, examples_seen=0, training_flops=0):
    """Returns the cost of scoring with one model, a dictionary for JSON.

    A pass in which only the layers of an embedding run counts as a whole forward pass. The
    operations are those of the model. Searches for neighbours and prototypes, and what a score
    computes of the outputs, are in the seconds only.

    Args:
        passes: list of `keras_pruning.probing.collectors.passes.Passes`.
        seconds: wall-clock time.
        model: Keras model that was scored, `None` if no score needs one.
        spec: `ArraySpec` of the examples or a structure of them, with a `model`.
        examples_seen: number of examples in the training steps.
        training_flops: operations of these steps, `None` if they cannot be counted.
    """
    forward, by_weights, by_input, elsewhere = (
        sum(getattr(part, name) for part in passes)
        for name in ("forward", "weight_gradients", "input_gradients", "other_models")
    )
    parts = [training_flops, None if elsewhere else 0]
    if model is not None:
        logits = as_logits(model, spec=spec)
        if forward:
            parts.append(_times(forward, flops.forward_flops(logits, spec, _BATCH_SIZE)))
        if by_weights:
            parts.append(_times(by_weights, flops.weight_gradient_flops(logits, spec)))
        if by_input:
            parts.append(_times(by_input, flops.input_gradient_flops(logits, spec, _BATCH_SIZE)))
    return {
        "seconds": seconds,
        "examples_seen": examples_seen,
        "examples_forward": forward + elsewhere,
        "examples_with_gradients": by_weights + by_input,
        "flops": None if None in parts else sum(parts),
        "searches": any(part.searches for part in passes),
    }


def _times(count, of_example):
    return None if of_example is None else round(count * of_example)
