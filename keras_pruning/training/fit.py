"""The only place that compiles and fits, for probes and for retraining alike."""

import math
import time
from dataclasses import dataclass

import keras
import numpy as np

from keras_pruning.arguments import require_one_of
from keras_pruning.backend.tensorflow.passes import require_logits
from keras_pruning.errors import InputError
from keras_pruning.models.graph import as_logits, functional_copy
from keras_pruning.training import augmentation
from keras_pruning.training.optimizers import learning_rates, make_optimizer
from keras_pruning.training.recording import RecordingModel

STREAMS = ("probe", "training")
BUDGETS = ("steps", "epochs")


def derived_seed(stream, seed):
    """A random seed for `seed` in one of two independent streams, `"probe"` and `"training"`.

    Models that evaluate a pruned data set so never share an initialisation with the models that
    scored it, even where both count their seeds from 0.
    """
    return int(np.random.SeedSequence([STREAMS.index(stream), seed]).generate_state(1)[0])


@dataclass
class TrainingLog:
    """What a training run has cost.

    Args:
        steps: optimiser steps.
        examples_seen: examples in those steps, repeats counted.
        seconds: wall-clock time of the fit.
    """

    steps: int
    examples_seen: int
    seconds: float


def train(
    model,
    examples,
    options,
    *,
    full_size=None,
    stop_epoch=None,
    seed=0,
    callbacks=(),
    verbose=0,
):
    """Trains `model` in place on `examples`, with cross-entropy on its logits.

    A `ScoreCallback` of exactly these examples takes the scores of train mode from the training
    step, which trains the same weights to the last bit. Any other takes them in eval mode.

    Args:
        model: Keras model with one output for each class; a final softmax is taken off.
        examples: `Examples` to train on.
        options: `keras_pruning.config.TrainingConfig`.
        full_size: number of examples before pruning; by default `len(examples)`. With
            `budget="steps"`, every subset trains for as many steps as so many examples would take.
        stop_epoch: the epoch to stop after, the learning rate still following `options.epochs`.
        seed: integer that fixes order and augmentation. Seed initialisation and dropout with
            `keras.utils.set_random_seed` before the model is built.
        callbacks: Keras callbacks.
        verbose: as in `keras.Model.fit`.

    Returns:
        A `TrainingLog`.

    Raises:
        InputError: if an option is invalid or the loss becomes NaN or infinite.
    """
    require_one_of("budget", options.budget, BUDGETS)
    batch_size, epochs = options.batch_size, stop_epoch or options.epochs
    augment = augmentation.get(options.augmentation)
    if augment is not None and len(examples.shape) != 3:
        raise InputError(
            f"The augmentation {options.augmentation!r} takes images. "
            f"Expected examples of shape (height, width, channels). Received: {examples.shape}"
        )
    steps_per_pass = steps_per_epoch = math.ceil(len(examples) / batch_size)
    if options.budget == "steps":
        steps_per_epoch = math.ceil((full_size or len(examples)) / batch_size)
    # A second model over the same layers, so that the caller's model is not compiled
    fitted = functional_copy(as_logits(model), examples.shape)
    require_logits(fitted, examples)
    for callback in callbacks:
        if getattr(callback, "examples", None) is examples:
            passes = most_presentations(steps_per_epoch, steps_per_pass)
            fitted = callback.recording(fitted, passes)
    batches = examples.batches(
        batch_size,
        shuffle=True,
        seed=seed,
        augmentation=augment,
        rows=isinstance(fitted, RecordingModel),
    )
    rates = learning_rates(
        options.schedule, options.learning_rate, options.epochs * steps_per_epoch
    )
    fitted.compile(
        optimizer=make_optimizer(options.optimizer, rates, options.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    start = time.perf_counter()
    fitted.fit(
        batches.repeat() if options.budget == "steps" else batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        shuffle=False,
        callbacks=[StopOnDivergence(), *callbacks],
        verbose=verbose,
    )
    seconds = time.perf_counter() - start
    steps = epochs * steps_per_epoch
    return TrainingLog(steps, examples_in(steps, len(examples), batch_size), seconds)


def most_presentations(steps, steps_per_pass):
    """How often one example comes at most in `steps` steps of passes in ever new orders."""
    passes, rest = divmod(steps, steps_per_pass)
    # Between two passes that are not seen whole lie those that are.
    return passes + 2 if rest else passes


def examples_in(steps, num_examples, batch_size):
    """How many examples `steps` batches hold when the last batch of each pass is ragged."""
    passes, rest = divmod(steps, math.ceil(num_examples / batch_size))
    return passes * num_examples + rest * batch_size


class StopOnDivergence(keras.callbacks.Callback):
    """Raises an `InputError` when the loss of an epoch is NaN or infinite."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise InputError(
                f"Training diverged. Expected a finite loss. Received: loss={loss} in epoch "
                f"{epoch + 1}. Lower `training.learning_rate`, or look for extreme input values."
            )
