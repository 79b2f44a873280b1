"""Scores of probabilities or logits that any framework has computed."""

import copy

import numpy as np
from keras import ops

from keras_pruning import scores as registry
from keras_pruning.errors import InputError
from keras_pruning.examples.examples import Examples
from keras_pruning.models.outputs import Outputs
from keras_pruning.scores.score import OUTPUTS
from keras_pruning.tables.score_table import ScoreTable

# Rows of probabilities sum to 1 within this, in half precision too.
_TOLERANCE = 1e-2
# The smallest positive normal number of float32, in place of a probability of 0.
_SMALLEST = np.finfo(np.float32).tiny


def scores_from_probabilities(
    probabilities, labels, ids=None, scores=None, are_logits=False, class_names=None
):
    """Returns the scores of outputs that were computed elsewhere, by any framework.

    The formulas are those of `ScoreCallback`. Scores that look at gradients, embeddings or layers
    cannot be computed from outputs.

    Args:
        probabilities: floats `(examples, classes)`, or `(epochs, examples, classes)` with the
            outputs at the end of each epoch, the oldest first. Every row sums to 1. A probability
            of 0 counts as the smallest number of float32, a loss of 87 nats.
        labels: labels `(examples,)` of any kind that `Examples.from_arrays` takes.
        ids: unique strings or integers `(examples,)`. Defaults to the positions.
        scores: list of score names and `Score` instances. Defaults to all that outputs of these
            epochs give.
        are_logits: whether `probabilities` are logits. AUM is defined on logits only.
        class_names: C strings, as in `Examples.from_arrays`.

    Returns:
        A `ScoreTable` in the order of the examples.

    Raises:
        InputError: if the outputs are not probabilities or not finite, if lengths differ, or if a
            score cannot be computed from these outputs.

    Example:
        >>> table = scores_from_probabilities(softmax_outputs, y, scores=["el2n", "entropy"])
    """
    outputs = _checked(probabilities, are_logits)
    epochs, _, classes = outputs.shape
    # As any examples, for the checks of labels and ids
    examples = Examples.from_arrays(
        outputs[-1], labels, ids, num_classes=classes, class_names=class_names
    )
    if scores is None:
        chosen = _possible(epochs, are_logits)
    else:
        chosen = [copy.copy(registry.get(score)) for score in scores]
    due = {score.name: _due(score, epochs, are_logits) for score in chosen}
    for score in chosen:
        score.reset(examples, due[score.name])
    for epoch, values in enumerate(outputs, start=1):
        signal = Outputs(values if are_logits else np.log(values), examples.labels)
        for score in chosen:
            if epoch in due[score.name]:
                score.update(ops.convert_to_numpy(score.observe(signal)))
    described = {score.name: _described(score, due[score.name]) for score in chosen}
    values = {score.name: score.result() for score in chosen}
    return ScoreTable(examples.ids, examples.labels, values, metadata={"scores": described})


def _checked(outputs, are_logits):
    """Returns outputs as float32 `(epochs, examples, classes)`."""
    try:
        outputs = np.asarray(outputs, np.float32)
    except (TypeError, ValueError) as error:
        raise _invalid("values that are no array of numbers") from error
    outputs = outputs[np.newaxis] if outputs.ndim == 2 else outputs
    if outputs.ndim != 3 or 0 in outputs.shape:
        raise _invalid(f"shape {outputs.shape}")
    if not np.isfinite(outputs).all():
        raise _invalid("NaN or infinity")
    if are_logits:
        return outputs
    if outputs.min() < 0 or abs(outputs.sum(axis=2) - 1).max() > _TOLERANCE:
        raise _invalid("rows that do not sum to 1. Pass are_logits=True for logits")
    return np.maximum(outputs, _SMALLEST)


def _invalid(received):
    return InputError(
        "Invalid `probabilities`. Expected finite numbers of shape (examples, classes) or (epochs, "
        f"examples, classes). Received: {received}"
    )


def _possible(epochs, are_logits):
    """Returns an instance of each score that outputs of so many epochs give."""
    possible = []
    for name in registry.SCORES:
        score = registry.get(name)
        try:
            _due(score, epochs, are_logits)
        except InputError:
            continue
        possible.append(score)
    return possible


def _due(score, epochs, are_logits):
    """Returns the epochs that a score looks at. Raises if outputs do not give it."""
    if score.signal != OUTPUTS or score.needs_penultimate or score.needs_gradients:
        raise InputError(
            f"`{score.name}` cannot be computed from outputs. Expected a score of outputs only. "
            "Received: one of gradients or embeddings. Use `ScoreCallback` or `score_checkpoints`."
        )
    if score.needs_logits and not are_logits:
        raise InputError(
            f"`{score.name}` is defined on logits. Expected logits, with are_logits=True. "
            "Received: probabilities"
        )
    due = score.epochs_due(epochs)
    if score.fewest_epochs > len(due):
        raise InputError(
            f"`{score.name}` needs outputs of at least {score.fewest_epochs} epochs. Expected "
            f"shape (epochs, examples, classes). Received: {epochs} epochs"
        )
    return due


def _described(score, due):
    return {
        "higher_is_harder": score.higher_is_harder,
        "config": score.get_config(),
        "epochs": due,
        "partial": False,
        "mode": "given",
        "over_seeds": score.over_seeds,
        **score.details(),
    }
