"""Notices that scoring reads other values than `fit` does."""

import math
import warnings
from functools import cached_property
from typing import NamedTuple

import keras
import numpy as np

from keras_pruning.backend.tensorflow.fit_statistics import FitStatistics, statistics_of
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import leaves
from keras_pruning.probing.collectors.passes import Passes
from keras_pruning.training.recording import RecordingModel

# The most examples whose accuracy is looked at.
_MOST = 1024
# Names under which Keras reports the share of right predictions.
_ACCURACIES = (
    "accuracy",
    "acc",
    "sparse_categorical_accuracy",
    "categorical_accuracy",
    "binary_accuracy",
)
# Share of its first value that a moving average may still have.
_SETTLED = 0.02
# Augmentation changes mean and deviation by less.
_SHIFT, _RATIO = 0.5, 1.5
_CAUSES = (
    "Expected the inputs and labels that `fit` reads. Likely causes: inputs that are scaled or "
    "preprocessed in one of the two only (pass the same arrays, or `scale=`), classes in another "
    "order (`class_names`), other examples, or sample weights far from 1."
)
_HOW_TO_GO_ON = "If this is intended, pass ScoreCallback(verify=False)."


class Measured(NamedTuple):
    """Accuracy and mean cross-entropy in nats, `None` if unknown."""

    accuracy: float | None
    loss: float | None


class AccuracyGuard:
    """Compares the batches and the accuracy of `fit` with the scored examples.

    If the inputs of `fit` are scaled, preprocessed or labelled in another way than the examples,
    scores are of inputs that the model was never trained for. The guard gathers mean and standard
    deviation of the inputs that the training step reads, and its accuracy. At the end of the first
    and of the last epoch it compares them with those of the examples.

    Args:
        examples: the scored `Examples`.
        are_trained_on: whether `fit` is taken to train on these examples and not on others.
        output: name of the scored output, if the model has several.
        batch_size: examples a batch of the scoring passes. Its own have 32 to 256.

    Attributes:
        passes: `Passes` of the scored examples.
    """

    def __init__(self, examples, are_trained_on, output=None, batch_size=256):
        self._examples = examples
        # Batch normalisation in train mode needs more than a few
        self._batch_size = min(max(batch_size, 32), 256)
        self._are_trained_on, self._prefix = are_trained_on, f"{output}_" if output else ""
        self._fit, self.passes = None, Passes()

    def begin(self, model):
        """Begins to watch the training step of a model."""
        self.end()
        inputs_of = _recorded_inputs if isinstance(model, RecordingModel) else lambda x: x
        self._fit = FitStatistics(model, inputs_of, len(leaves(self._examples.spec)))
        self._fit.start()

    def end(self):
        """Leaves the training step as it was."""
        if self._fit is not None:
            self._fit.stop()
        self._fit = None

    def check(self, model, logits, logs, epoch, is_last):
        """Raises an error or warns if the scored examples contradict an epoch of `fit`.

        Args:
            model: the model of `fit`.
            logits: the same model, ending in logits.
            logs: dictionary that Keras passes to `on_epoch_end`.
            epoch: number of the epoch, for the message.
            is_last: whether it is the last epoch of the fit.

        Raises:
            InputError: if the inputs have another mean or standard deviation, or if the accuracy of
                the examples is near chance although `fit` reports much more, or if their loss is
                many times as large.
        """
        statistics = self._fit and self._fit.take()
        if statistics is not None:
            self._compare_inputs(statistics, epoch)
        reported = self._reported(model, logs or {}, statistics)
        if reported == (None, None):
            return
        scored = self._measured(logits, training=False)
        severity = self._severity(reported, scored)
        if severity is None or (severity == "weak" and not self._are_trained_on):
            return
        message = self._message(reported, scored, epoch)
        lag = _lag(model)
        if severity == "strong" and lag is not None:
            # Moving averages that lag make the eval mode worse than the training step.
            in_training = self._severity(reported, self._measured(logits, training=True))
            if in_training != "strong" and not (is_last and lag < _SETTLED):
                _warn(
                    f"{message} Or the moving averages of BatchNormalization are not settled: "
                    f"{lag:.0%} of them is still their first value. Then scores of this epoch, "
                    "which are taken in eval mode, are of a model that is not settled either."
                )
                return
        if severity == "strong":
            raise InputError(f"{message} {_HOW_TO_GO_ON}")
        if lag is None or lag < _SETTLED:
            _warn(message)

    def _compare_inputs(self, statistics, epoch):
        """Raises an `InputError` if the inputs of `fit` have another mean or deviation."""
        ours = self._statistics
        if len(ours.mean) != len(statistics.mean):
            return
        deviation = np.maximum(ours.deviation, 1e-6 * np.abs(ours.mean))
        shifted = np.abs(statistics.mean - ours.mean) > _SHIFT * deviation
        wider = statistics.deviation > _RATIO * deviation
        narrower = ours.deviation > _RATIO * statistics.deviation
        differing = np.flatnonzero(shifted | wider | narrower)
        if len(differing) == 0:
            return
        read, stored = (
            f"mean {part.mean[differing[0]]:.3g} and standard deviation "
            f"{part.deviation[differing[0]]:.3g}"
            for part in (statistics, ours)
        )
        message = (
            f"The scored examples contradict `fit`. It has read inputs of {read} in epoch {epoch}. "
            f"The scored examples have {stored}. {_CAUSES}"
        )
        if self._are_trained_on:
            raise InputError(f"{message} {_HOW_TO_GO_ON}")
        _warn(message)

    @cached_property
    def _statistics(self):
        """`Statistics` of the inputs of all examples."""
        return statistics_of(self._examples.scoring_batches(self._batch_size))

    @cached_property
    def _sample(self):
        """Some of the examples, mixed: batches of one class differ from those of `fit`."""
        count = len(self._examples)
        rows = np.linspace(0, count - 1, min(_MOST, count)).astype(int)
        return self._examples.at(np.random.default_rng(0).permutation(rows))

    def _reported(self, model, logs, statistics):
        """Returns the `Measured` that Keras has logged, or else that of the training step."""
        names = [self._prefix + name for name in _ACCURACIES]
        accuracy = next((float(logs[name]) for name in names if name in logs), None)
        # The loss of weighted examples is another one, and so may be the accuracy.
        is_weighted = statistics is not None and statistics.is_weighted
        if is_weighted or (accuracy is None and statistics is not None):
            accuracy = statistics.accuracy
        is_comparable = _is_cross_entropy(model) and not is_weighted
        loss = logs.get(f"{self._prefix}loss") if is_comparable else None
        # Keras reports 0 if a training step of the user does not update its mean. It counts where
        # nothing else is known, so that such a step is not passed over in silence.
        is_unknown = loss is None or (loss == 0 and statistics is not None)
        return Measured(accuracy, None if is_unknown else float(loss))

    def _measured(self, logits, training):
        """Returns the `Measured` of the sample. The model keeps its state."""
        losses, right = [], []
        self.passes.forward += len(self._sample)
        for _, x, labels in self._sample.scoring_batches(self._batch_size):
            if training:
                state = logits.trainable_variables, logits.non_trainable_variables
                values, _ = logits.stateless_call(*state, x, training=True)
            else:
                values = logits(x, training=False)
            values = keras.ops.convert_to_numpy(keras.ops.cast(values, "float32")).astype(float)
            labels = np.asarray(labels)
            values -= values.max(axis=1, keepdims=True)
            at_label = values[np.arange(len(labels)), labels]
            losses.append(np.log(np.exp(values).sum(axis=1)) - at_label)
            right.append(values.argmax(axis=1) == labels)
        return Measured(float(np.concatenate(right).mean()), float(np.concatenate(losses).mean()))

    def _severity(self, reported, scored):
        """Returns `"strong"`, `"weak"` or, without a contradiction, `None`."""
        labels = self._sample.labels
        chance = np.bincount(labels).max() / len(labels)
        error = 0.5 / math.sqrt(len(labels))
        if reported.accuracy is not None:
            above, missing = reported.accuracy - chance, reported.accuracy - scored.accuracy
            if above >= 0.15 and scored.accuracy - chance <= above / 4 and missing > 4 * error:
                return "strong"
            if missing > max(0.15, 4 * error):
                return "weak"
        if reported.loss is not None:
            worst = math.log(max(2, self._sample.num_classes))
            if scored.loss > max(10 * reported.loss, 1.1 * worst) and reported.loss < worst:
                return "strong"
            if scored.loss > 2 * reported.loss + 0.5:
                return "weak"
        return None

    def _message(self, reported, scored, epoch):
        parts = [
            f"{name} {theirs:.3g} against {ours:.3g}"
            for name, theirs, ours in zip(Measured._fields, reported, scored, strict=True)
            if theirs is not None
        ]
        return (
            f"The scored examples contradict `fit`. Epoch {epoch}, as `fit` reports it against "
            f"{len(self._sample):,} of the scored examples: {', '.join(parts)}. {_CAUSES}"
        )


def _recorded_inputs(x):
    """Returns the inputs of the recorded model among those of a `RecordingModel`."""
    return x["x"] if isinstance(x, dict) and "row" in x else x


def _is_cross_entropy(model):
    """Returns whether the loss that a model was compiled with is a cross-entropy."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict | list | tuple):
        return False
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return "crossentropy" in str(name).replace("_", "").lower() and "focal" not in str(name)


def _lag(model):
    """Returns the share of the first value in moving averages, `None` if a model has none."""
    momenta = [
        layer.momentum
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    if not momenta:
        return None
    return float(max(momenta)) ** int(model.optimizer.iterations)


def _warn(message):
    warnings.warn(message, UserWarning, stacklevel=2)
