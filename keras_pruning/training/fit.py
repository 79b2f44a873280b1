"""The only place that compiles and fits, for probes and for retraining alike."""

import math
import time
from dataclasses import dataclass

import keras
import numpy as np

from keras_pruning.arguments import require_one_of
from keras_pruning.backend.tensorflow import flops
from keras_pruning.backend.tensorflow.requirements import require_logits
from keras_pruning.errors import InputError
from keras_pruning.examples import batches
from keras_pruning.models.graph import functional_copy
from keras_pruning.models.heads import as_logits
from keras_pruning.training import augmentation, dynamic
from keras_pruning.training.checkpoint import Checkpointing
from keras_pruning.training.optimizers import learning_rates, make_optimizer
from keras_pruning.training.recording import RecordingModel
from keras_pruning.training.steps import examples_in, most_presentations, steps_per_execution

STREAMS = ("probe", "training", "pilot")
BUDGETS = ("steps", "epochs")


def derived_seed(stream, seed):
    """Returns a random seed for `seed` in one of the independent streams.

    Models that evaluate a pruned data set therefore never share an initialisation with the models
    that scored it or chose its policy, even if all count their seeds from 0.

    Args:
        stream: `"probe"`, `"training"` or `"pilot"`.
        seed: integer >= 0.

    Returns:
        Integer below 2³².
    """
    return int(np.random.SeedSequence([STREAMS.index(stream), seed]).generate_state(1)[0])


@dataclass
class TrainingLog:
    """The cost of a training run.

    Args:
        steps: number of optimiser steps.
        examples_seen: number of examples in those steps, counting repeats.
        seconds: wall-clock time of the fit, in seconds.
        epochs: list of an `EpochLog` for each epoch that a dynamic method pruned, or `None`.
    """

    steps: int
    examples_seen: int
    seconds: float
    epochs: list | None = None


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
    checkpoint=None,
):
    """Trains `model` in place on `examples`, with cross-entropy on its logits.

    A dynamic method trains each epoch on the examples that it chooses, whatever the budget.

    Without a dynamic method, a `ScoreCallback` of exactly these examples records the scores of
    train mode in the training step, which does not change a bit of the weights. Any other
    `ScoreCallback` takes them in eval mode.

    Args:
        model: Keras model with one output for each class. A final softmax is removed.
        examples: `Examples` to train on.
        options: `keras_pruning.config.TrainingConfig`.
        full_size: number of examples before pruning. Defaults to `len(examples)`. With
            `budget="steps"`, every subset trains for as many steps as this number of examples.
        stop_epoch: number of epochs after which training stops. The learning rate still follows
            `options.epochs`.
        seed: integer that fixes order and augmentation. Seed initialisation and dropout with
            `keras.utils.set_random_seed` before the model is built.
        callbacks: list of Keras callbacks.
        verbose: as in `keras.Model.fit`.
        checkpoint: `RunCheckpoint` that the end of each epoch is saved to. A run that finds a saved
            state goes on with it and ends with the same bits. The caller removes the file.

    Returns:
        A `TrainingLog`.

    Raises:
        InputError: if an option is invalid or the loss becomes NaN or infinite.
    """
    require_one_of("budget", options.budget, BUDGETS)
    batch_size, epochs = options.batch_size, stop_epoch or options.epochs
    augment = _augmentation(options.augmentation, examples.shape)
    # A pass reads the examples once. An epoch of the `steps` budget may read them several times.
    steps_per_pass = steps_per_epoch = math.ceil(len(examples) / batch_size)
    if options.budget == "steps":
        # As many steps as the full data take, whatever the size of the subset.
        steps_per_epoch = math.ceil((full_size or len(examples)) / batch_size)
    # Fit a second model over the same layers, so that the caller's model is not compiled.
    fitted = functional_copy(as_logits(model, spec=examples.spec), examples.spec)
    require_logits(fitted, examples)
    if options.dynamic is not None:
        pruning = dynamic.get(options.dynamic, examples, options.epochs, seed)
        callbacks = [pruning, *callbacks]
        _compile(pruning.recording(fitted), options, steps_per_epoch, callbacks, pruning)
        read = pruning.batches(batch_size, augment)
        epochs = min(epochs, pruning.fit_epochs)
        seconds = _fit(fitted, lambda first: read, epochs, None, callbacks, verbose, checkpoint)
        return TrainingLog(pruning.steps, pruning.examples_seen, seconds, pruning.history)
    # Record the training step for a `ScoreCallback` of these examples.
    for callback in callbacks:
        if getattr(callback, "records_scores_of", None) is examples:
            passes = most_presentations(steps_per_epoch, steps_per_pass)
            fitted = callback.recording(fitted, passes)
    rows = isinstance(fitted, RecordingModel)
    _compile(fitted, options, steps_per_epoch, callbacks)

    def batches_after(first):
        read = batches.reader(*examples.read_from, examples.labels)
        skipped = first * steps_per_epoch
        shuffled = batches.for_fit(
            read, len(examples), batch_size, True, seed, augment, rows, skipped
        )
        return shuffled.repeat() if options.budget == "steps" and not skipped else shuffled

    seconds = _fit(fitted, batches_after, epochs, steps_per_epoch, callbacks, verbose, checkpoint)
    steps = epochs * steps_per_epoch
    return TrainingLog(steps, examples_in(steps, len(examples), batch_size), seconds)


def _fit(model, batches_after, epochs, steps_per_epoch, callbacks, verbose, checkpoint):
    """Fits a compiled model, or goes on with a saved state, and returns the seconds that it took.

    Args:
        model, epochs, steps_per_epoch, verbose: as in `keras.Model.fit`.
        batches_after: function from the number of epochs that the run has had to the batches of the
            others.
        callbacks: list of Keras callbacks.
        checkpoint: `RunCheckpoint` or `None`.
    """
    first, seconds = 0, 0.0
    callbacks = [StopOnDivergence(), *callbacks]
    if checkpoint is not None:
        saving = Checkpointing(checkpoint, model, callbacks)
        first, seconds = saving.epochs, saving.seconds
        callbacks.append(saving)
    start = time.perf_counter()
    model.fit(
        batches_after(first),
        epochs=epochs,
        initial_epoch=first,
        steps_per_epoch=steps_per_epoch,
        shuffle=False,
        callbacks=callbacks,
        verbose=verbose,
    )
    return seconds + time.perf_counter() - start


def training_flops(model, examples, options, examples_seen):
    """Returns the floating-point operations of a training run.

    The training step is traced on its own and does not run. Neither the model nor any random state
    changes.

    Args:
        model: the model that was trained.
        examples: `Examples` that it was trained on.
        options: `keras_pruning.config.TrainingConfig`.
        examples_seen: number of examples in the steps of the run.

    Returns:
        Integer, or `None` if the operations of the model cannot be counted.
    """
    logits = as_logits(model, spec=examples.spec)
    batch_size = min(options.batch_size, len(examples))
    of_example = flops.training_flops(logits, examples.spec, batch_size)
    return None if of_example is None else round(of_example * examples_seen)


def _augmentation(name, shape):
    """Returns the augmentation called `name`, checked to fit examples of `shape`."""
    augment = augmentation.get(name)
    if augment is not None and len(shape) != 3:
        raise InputError(
            f"The augmentation {name!r} takes images. "
            f"Expected examples of shape (height, width, channels). Received: {shape}"
        )
    return augment


def _compile(model, options, steps_per_epoch, callbacks, pruning=None):
    """Compiles a model that ends in logits, with a schedule over all epochs.

    With a dynamic method, the schedule follows the share of the run that is done.
    """
    total_steps = options.epochs * steps_per_epoch
    rates = learning_rates(options.schedule, options.learning_rate, total_steps)
    if pruning is not None and not isinstance(rates, float):
        rates = pruning.follow(rates, total_steps)
    model.compile(
        optimizer=make_optimizer(options.optimizer, rates, options.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        steps_per_execution=steps_per_execution(steps_per_epoch, callbacks),
    )
    # The training step is traced twice if its first trace creates the variables of the optimizer
    if model.built:
        model.optimizer.build(model.trainable_variables)


class StopOnDivergence(keras.callbacks.Callback):
    """Raises an `InputError` if the loss of an epoch is NaN or infinite."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise InputError(
                f"Training diverged. Expected a finite loss. Received: loss={loss} in epoch "
                f"{epoch + 1}. Lower `training.learning_rate`, or look for extreme input values."
            )
