"""The only place that compiles and fits, for probes and for retraining alike."""

import math
import time
from dataclasses import dataclass

import keras
import numpy as np

from keras_pruning.backend.tensorflow.passes import OutputPass, require_logits
from keras_pruning.errors import InputError, unknown
from keras_pruning.models.graph import as_logits, functional_copy
from keras_pruning.training import augmentation as augmentations
from keras_pruning.training.recording import RecordingModel

STREAMS = ("probe", "training")
BUDGETS = ("steps", "epochs")


def derived_seed(stream, seed):
    """A random seed for `seed` in one of two independent streams, `"probe"` and `"training"`.

    Models that evaluate a pruned data set so never share an initialisation with the models that
    scored it, even where both count their seeds from 0.
    """
    return int(np.random.SeedSequence([STREAMS.index(stream), seed]).generate_state(1)[0])


@keras.saving.register_keras_serializable(package="keras_pruning")
class SGD(keras.optimizers.SGD):
    """Stochastic gradient descent whose weight decay is part of the gradient.

    Keras decouples weight decay from the gradient, which with a momentum m weakens it by 1 - m.
    The recipes of the data pruning papers (weight decay 5e-4 at momentum 0.9) mean this form:

    Formula:
        g = ∂loss/∂w + l2 · w

    Args:
        l2: factor of the weight that is added to its gradient.
        **kwargs: as `keras.optimizers.SGD`.
    """

    def __init__(self, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        decayed = keras.ops.convert_to_tensor(gradient) + self.l2 * variable
        super().update_step(decayed, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


def learning_rates(schedule, learning_rate, steps):
    """The learning rate over a run of `steps` optimiser steps.

    Args:
        schedule: `"step"` falls to a fifth at 30, 60 and 80 % of the run; `"cosine"` falls to 0;
            `"constant"`.
        learning_rate: the first learning rate.
        steps: optimiser steps of the whole run.

    Returns:
        A float or a `keras.optimizers.schedules.LearningRateSchedule`.
    """
    schedules = keras.optimizers.schedules
    if schedule == "constant":
        return learning_rate
    if schedule == "cosine":
        return schedules.CosineDecay(learning_rate, steps)
    if schedule != "step":
        raise unknown("learning rate schedule", schedule, ["step", "cosine", "constant"])
    # The boundary is the last step at the old rate.
    boundaries = [round(part * steps) - 1 for part in (0.3, 0.6, 0.8)]
    return schedules.PiecewiseConstantDecay(
        boundaries, [learning_rate * 0.2**drops for drops in range(4)]
    )


def make_optimizer(name, learning_rate, weight_decay):
    """`"sgd"` with Nesterov momentum 0.9 and coupled weight decay, or any Keras optimiser by name.

    Other optimisers decay weights as Keras does, decoupled from the gradient.
    """
    if name == "sgd":
        return SGD(weight_decay, learning_rate=learning_rate, momentum=0.9, nesterov=True)
    config = {"learning_rate": learning_rate, "weight_decay": weight_decay or None}
    try:
        return keras.optimizers.get({"class_name": name, "config": config})
    except (ValueError, TypeError) as error:
        raise InputError(
            "Unknown optimizer. Expected the name of a Keras optimizer, for example 'sgd' or "
            f"'adamw'. Received: {name!r}"
        ) from error


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
    *,
    epochs,
    full_size=None,
    stop_epoch=None,
    batch_size=128,
    budget="steps",
    optimizer="sgd",
    learning_rate=0.1,
    schedule="step",
    weight_decay=5e-4,
    augmentation=None,
    seed=0,
    scores=None,
    callbacks=(),
    verbose=0,
):
    """Trains `model` in place on `examples`, with cross-entropy on its logits.

    Args:
        model: Keras model with one output for each class; a final softmax is taken off.
        examples: `Examples` to train on.
        epochs: passes over the data. With `budget="steps"`, passes over `full_size` examples.
        full_size: number of examples before pruning; by default `len(examples)`.
        stop_epoch: the epoch to stop after, the learning rate still following `epochs`.
        batch_size: examples a step.
        budget: `"steps"` for as many optimiser steps as the full data would take, `"epochs"` for
            as many passes over the examples there are.
        optimizer: `"sgd"` or the name of a Keras optimiser.
        learning_rate: the first learning rate.
        schedule: see `learning_rates`; it follows the budget.
        weight_decay: factor of the weight decay.
        augmentation: `"flip_crop"` or `None`.
        seed: integer that fixes order and augmentation. Seed initialisation and dropout with
            `keras.utils.set_random_seed` before the model is built.
        scores: `ScoreCallback` of these examples. What its scores take in train mode is recorded
            by the training step, which trains the same weights to the last bit.
        callbacks: Keras callbacks.
        verbose: as in `keras.Model.fit`.

    Returns:
        A `TrainingLog`.

    Raises:
        InputError: if an argument is invalid or the loss becomes NaN or infinite.
    """
    if budget not in BUDGETS:
        raise InputError(
            f"Invalid `budget`. Expected one of {BUDGETS}. Received: budget={budget!r}"
        )
    augment = augmentations.get(augmentation)
    if augment is not None and len(examples.shape) != 3:
        raise InputError(
            f"The augmentation {augmentation!r} takes images. "
            f"Expected examples of shape (height, width, channels). Received: {examples.shape}"
        )
    steps_per_pass = math.ceil(len(examples) / batch_size)
    steps_per_epoch = steps_per_pass
    if budget == "steps":
        steps_per_epoch = math.ceil((full_size or len(examples)) / batch_size)
    # A second model over the same layers, so that the caller's stays as it was: not compiled.
    fitted = functional_copy(as_logits(model), examples.shape)
    require_logits(fitted, examples)
    if scores is not None:
        callbacks = [*callbacks, scores]
        fitted = scores.recording(fitted, most_presentations(steps_per_epoch, steps_per_pass))
    batches = examples.batches(
        batch_size,
        shuffle=True,
        seed=seed,
        augmentation=augment,
        rows=isinstance(fitted, RecordingModel),
    )
    fitted.compile(
        optimizer=make_optimizer(
            optimizer,
            learning_rates(schedule, learning_rate, epochs * steps_per_epoch),
            weight_decay,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    start = time.perf_counter()
    fitted.fit(
        batches.repeat() if budget == "steps" else batches,
        epochs=stop_epoch or epochs,
        steps_per_epoch=steps_per_epoch,
        shuffle=False,
        callbacks=[StopOnDivergence(), *callbacks],
        verbose=verbose,
    )
    steps = (stop_epoch or epochs) * steps_per_epoch
    seconds = time.perf_counter() - start
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
