"""Scores of models that are already trained."""

from collections.abc import Iterable
from pathlib import Path

import keras

from keras_pruning.errors import InputError
from keras_pruning.models import loading
from keras_pruning.probing.collectors.passes import passes_of, restore_passes, state_of
from keras_pruning.probing.recorder import ScoreRecorder


def score_checkpoints(checkpoints, examples, scores, batch_size=256, support=None, output=None):
    """Scores examples with saved checkpoints of one training run.

    Args:
        checkpoints: list of Keras models and paths of `.keras` files, the oldest first. Each
            counts as one epoch. It may be empty if no score needs a model.
        examples: `Examples` to score.
        scores: list of score names and `Score` instances.
        batch_size: examples a batch of the scoring passes. Fewer take less memory.
        support: `Examples` that the models were trained on, if `examples` are others. Neighbours
            and prototypes come from them.
        output: name of the output to score, if the models have several: the name of its layer or
            its key.

    Returns:
        A `ScoreTable` in the order of `examples.ids`.

    Raises:
        InputError: if a checkpoint cannot be loaded or does not fit the examples, or if there are
            too few checkpoints for a score. VoG needs two.

    Example:
        >>> table = score_checkpoints(["epoch-1.keras", "epoch-2.keras"], examples, ["el2n", "vog"])
    """
    return record_checkpoints(checkpoints, examples, scores, batch_size, support, output).table()


def record_checkpoints(
    checkpoints, examples, scores, batch_size=256, support=None, output=None, unfinished=None
):
    """Returns the finished `ScoreRecorder` of saved checkpoints of one training run.

    Args:
        checkpoints, examples, scores, batch_size, support, output: as for `score_checkpoints`.
        unfinished: `RunCheckpoint` from which the scoring goes on if it is killed, or `None`.
    """
    checkpoints = _as_list(checkpoints)
    recorder = ScoreRecorder(examples, scores, batch_size, support, output)
    earlier = None if unfinished is None else unfinished.load()
    if not checkpoints and any(score.needs_model for score in recorder.scores):
        raise InputError("Expected at least one checkpoint. Received: none")
    model = None
    if not checkpoints:
        recorder.start(0)
    for epoch, model in enumerate(_models(checkpoints, examples, output, unfinished), start=1):
        # The first model shows before any pass whether the scores can be taken.
        if epoch == 1:
            recorder.start(len(checkpoints), model)
            if earlier is not None:
                recorder.restore(earlier)
                restore_passes(passes_of(recorder), earlier)
        if epoch <= recorder.progress.reached:
            continue
        recorder.epoch_end(epoch, model)
        if unfinished is not None:
            unfinished.offer(lambda: {**recorder.state(), **state_of(passes_of(recorder))})
    recorder.finish(model)
    return recorder


def _models(checkpoints, examples, output, unfinished):
    """Yields the models of checkpoints, each after checking that it can be scored."""
    # Damage shows before the first pass
    for checkpoint in checkpoints:
        if not isinstance(checkpoint, keras.Model):
            loading.require_file(checkpoint)
    shapes = None
    for number, checkpoint in enumerate(checkpoints, start=1):
        name = number if isinstance(checkpoint, keras.Model) else f"{number}, {checkpoint}"
        model = checkpoint if isinstance(checkpoint, keras.Model) else loading.load(checkpoint)
        # Weights of several checkpoints are stacked, so they must have the same shapes.
        is_another = shapes not in (None, shapes := [weight.shape for weight in model.weights])
        # Nothing can go on with the state then. After other errors the same command may.
        if is_another and unfinished is not None:
            unfinished.remove()
        try:
            loading.require_fit(
                model, examples.spec, examples.num_classes, output, labels=examples.labels
            )
        except InputError as error:
            raise InputError(f"{error} (checkpoint {name})") from error
        if is_another:
            raise InputError(
                "Checkpoints of different models. Expected weights of the same shapes in all. "
                f"Received: others in checkpoint {name}"
            )
        yield model


def _as_list(checkpoints):
    """Returns checkpoints as a list, after checking that they are models and paths."""
    kinds = str | Path | keras.Model
    if isinstance(checkpoints, kinds | dict) or not isinstance(checkpoints, Iterable):
        raise InputError(f"Invalid `checkpoints`. Expected a list. Received: {checkpoints!r}")
    checkpoints = list(checkpoints)
    for checkpoint in checkpoints:
        if not isinstance(checkpoint, kinds):
            raise InputError(
                "Invalid `checkpoints`. Expected Keras models and paths of .keras files. Received: "
                f"{type(checkpoint).__name__} among them"
            )
    return checkpoints
