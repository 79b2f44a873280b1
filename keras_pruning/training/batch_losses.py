"""The mean loss of a batch, without the weights that the training step gives its examples."""

import copy
import functools
import inspect

import keras
from keras import ops

from keras_pruning.backend.tensorflow.dependence import Dependence
from keras_pruning.errors import InputError


def averaged(compiled):
    """Returns a loss that averages over the batch, without weights, penalties and other reductions.

    With several outputs it is the sum of their means, each times its `loss_weights`.

    Args:
        compiled: the `_compile_loss` of a model, which stays as it is.

    Returns:
        Function of labels and outputs to a scalar. It creates variables when it is first called.
    """
    losses = keras.tree.map_structure(_averaged, compiled._user_loss)
    # A new one, because each call changes the metrics of the compiled one
    return type(compiled)(losses, compiled._user_loss_weights, output_names=compiled.output_names)


def _averaged(loss):
    """Returns a loss that is averaged over its batch, whatever its reduction is."""
    if isinstance(loss, keras.losses.Loss):
        loss = copy.copy(loss)
        loss.reduction = "sum_over_batch_size"
    return loss


class StepLoss:
    """Finds the loss of one batch in a training step that is not that of Keras.

    The step runs in the context of this object.

    Args:
        model: the model that the step trains.
        weight: weights of the batch, as the step gets them.
    """

    def __init__(self, model, weight):
        # A `metrics` of its own may leave out some that Keras tracks.
        metrics = [*model.metrics, *keras.Model.metrics.fget(model)]
        self._metrics = list({id(metric): metric for metric in metrics}.values())
        self._weights = [part for part in keras.tree.flatten(weight) if _is_float(part)]
        parts = [
            (metric, variable.value)
            for metric in self._metrics
            for variable in metric.variables
            if _is_float(variable)
        ]
        self._owners = [metric for metric, _ in parts]
        self._dependence = Dependence([*self._weights, *(variable for _, variable in parts)])
        self._updates = []

    def __enter__(self):
        for metric in self._means:
            # Hidden from Keras, which tracks the attributes of a metric
            object.__setattr__(metric, "update_state", functools.partial(self._update, metric))
            object.__setattr__(metric, "reset_state", functools.partial(self._reset, metric))
        self._dependence.__enter__()
        return self

    def __exit__(self, *error):
        self._dependence.__exit__(*error)
        for metric in self._means:
            object.__delattr__(metric, "update_state")
            object.__delattr__(metric, "reset_state")

    @property
    def _means(self):
        return [metric for metric in self._metrics if isinstance(metric, keras.metrics.Mean)]

    def reported(self, logs):
        """Returns the loss of the batch that the logs of the step have as `loss`.

        Args:
            logs: what the step returned.

        Returns:
            Float32 scalar without the weights of the batch: the `loss` itself, or the part that
            the batch had in it if it is the result of a `keras.metrics.Mean`.

        Raises:
            InputError: if the logs have no such loss.
        """
        loss = logs.get("loss") if isinstance(logs, dict) else None
        if loss is None:
            received = list(logs) if isinstance(logs, dict) else type(logs).__name__
            raise InputError(
                "The training step reports no loss. Expected it to return a dictionary with "
                f"'loss'. Received: {received}"
            )
        if not ops.is_tensor(loss):
            raise self._unknown(f"a {type(loss).__name__}, which is not a tensor")
        depends = self._dependence.of(loss)[len(self._weights) :]
        pairs = zip(self._owners, depends, strict=True)
        running = {id(metric): metric for metric, does in pairs if does}
        if not running:
            return self.unweighted(loss)
        names = f"the result of the metrics {[metric.name for metric in running.values()]}"
        if len(running) > 1:
            raise self._unknown(names)
        (metric,) = running.values()
        updates = [update for updated, *update in self._updates if updated is metric]
        if not updates:
            raise self._unknown(f"{names}, not updated in the step")
        arguments, totals, counts = zip(*updates, strict=True)
        loss = ops.divide_no_nan(sum(totals), sum(counts))
        # A mean that was given weights of examples is divided by their sum already.
        by_example = any(
            len(getattr(given.get("sample_weight"), "shape", ())) > 0 for given in arguments
        )
        is_weighted = any(self._has_weights(given.get("values")) for given in arguments)
        return self._divided(loss) if is_weighted and not by_example else loss

    def unweighted(self, loss):
        """Returns a loss, divided by the mean weight of the batch if it depends on the weights.

        Args:
            loss: float tensor that was computed in the step.
        """
        return self._divided(loss) if self._has_weights(loss) else _mean(loss)

    def _divided(self, loss):
        weights = ops.stack([_mean(weight) for weight in self._weights])
        return ops.divide_no_nan(_mean(loss), ops.mean(weights))

    def _has_weights(self, loss):
        return _is_float(loss) and any(self._dependence.of(loss)[: len(self._weights)])

    def _update(self, metric, *arguments, **options):
        """Updates a mean, and remembers the values and weights, their sum and their count."""
        update = type(metric).update_state
        given = inspect.signature(update).bind(metric, *arguments, **options).arguments
        # Not the difference of running totals, which loses digits in a long epoch
        empty = [(part, ops.zeros_like(part.value)) for part in (metric.total, metric.count)]
        with keras.StatelessScope(state_mapping=empty) as scope:
            update(metric, *arguments, **options)
        sums = [scope.get_current_value(part) for part, _ in empty]
        self._updates.append((metric, given, *sums))
        return update(metric, *arguments, **options)

    def _reset(self, metric):
        """Resets a mean, of which only later updates count."""
        self._updates = [update for update in self._updates if update[0] is not metric]
        type(metric).reset_state(metric)

    def _unknown(self, received):
        """Returns an `InputError`."""
        return InputError(
            "The loss of a single batch is not known. Expected `loss` in the logs of the training "
            "step to be the loss of this batch, or the result of one `keras.metrics.Mean` that "
            f"the step updates. Received: {received}. Return the loss tensor itself as 'loss'."
        )


def _is_float(value):
    """Returns whether a value is a tensor or variable of floats."""
    return hasattr(value, "dtype") and "float" in keras.backend.standardize_dtype(value.dtype)


def _mean(values):
    """Returns the mean of a tensor, float32."""
    return ops.mean(ops.cast(values, "float32"))
