"""The base classes of the scores."""

import numpy as np

from keras_pruning.arguments import options_of, require_positive_integer
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count
from keras_pruning.scores.summaries import RunningMean, arrays_of

OUTPUTS, INPUT_GRADIENTS, EMBEDDINGS = "outputs", "input_gradients", "embeddings"
EVAL, TRAIN = "eval", "train"


class Score:
    """Base class of the scores: one number for each example that says how hard it is.

    A score consumes signals and never runs a model. A driver (the training step of a probe,
    `ScoreCallback`, `score_checkpoints`) calls `reset`, then `update` at each moment that
    `epochs_due` names, then `result`. A subclass sets `name` and `higher_is_harder` and overrides
    `observe`. By default a score looks once, at the end of the run, and its values are the scores.

    Class attributes:
        name: the name in configs, on the command line and in score tables.
        higher_is_harder: whether a high score means a hard example.
        sees_wrong_labels: whether the score claims to rank wrong labels as hard.
        signal: the signal that is observed, a key of `keras_pruning.probing.collectors`.
        mode: `"eval"`, or `"train"` for outputs that the training step itself computed, if the
            paper of the score takes those.
        over_seeds: how several probes are combined, `"mean"` or `"sum"`.
        fewest_epochs: the smallest number of moments that the score can be computed from.
        fewest_classes: the smallest number of classes that the score can be computed for.
        before_learning_rate_drop: whether epochs after a drop of the learning rate are left out.
        needs_penultimate: whether the input of the last layer is observed.
        needs_gradients: whether gradients by the weights are observed.
        needs_logits: whether the score is defined on logits and not on probabilities.
        needs_support: whether `reset` takes `support`, the examples that neighbours and prototypes
            come from.
        needs_model: whether the score is computed with the scored model at all.
    """

    name = None
    higher_is_harder = True
    sees_wrong_labels = False
    signal = OUTPUTS
    mode = EVAL
    over_seeds = "mean"
    fewest_epochs = 1
    fewest_classes = 1
    before_learning_rate_drop = False
    needs_penultimate = False
    needs_gradients = False
    needs_logits = False
    needs_support = False
    needs_model = True

    def epochs_due(self, epochs):
        """Returns the epochs, counted from 1, that the score looks at the end of.

        Args:
            epochs: length of the run.

        Returns:
            List of integers, empty for a score that needs no model.

        Raises:
            InputError: if the run is too short for the score.
        """
        return [epochs] if self.needs_model else []

    def reset(self, examples, epochs):
        """Forgets earlier runs.

        Args:
            examples: `Examples` that are about to be scored.
            epochs: list of the epochs that `epochs_due` returned.
        """
        self.labels = examples.labels
        self.values = None

    def observe(self, signal):
        """Returns one value for each example of a batch. It may run inside a graph.

        Args:
            signal: `Outputs` of a batch, or input gradients `(checkpoints, batch, ...)`.

        Returns:
            Float tensor `(batch,)` or `(batch, ...)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `observe`.")

    def update(self, values, rows=slice(None)):
        """Takes in the values that were observed at one moment.

        Args:
            values: array `(len(rows), ...)`.
            rows: positions in `examples.ids`, each at most once. Defaults to all.
        """
        self.values = values

    @property
    def needed(self):
        """The number of due epochs that a run has to reach."""
        return self.fewest_epochs

    @property
    def is_complete(self):
        """Whether the run so far is enough for a result."""
        return self.values is not None

    def state(self):
        """Returns the values of an unfinished run, a dictionary of arrays by name.

        A subclass that keeps other values overrides `state` and `restore`.
        """
        return {} if self.values is None else {"values": np.asarray(self.values)}

    def restore(self, state):
        """Continues a run after `reset`, from the result of `state`."""
        self.values = state.get("values")

    def details(self):
        """Returns a dictionary for the metadata of the table, besides the config."""
        return {}

    def values_of_each(self):
        """Returns what each example gave by itself, numbers `(examples,)`."""
        return self.values

    def finished(self, values, labels):
        """Returns the scores of values that were put together, float32 `(examples,)`.

        A subclass that compares the examples overrides it.

        Args:
            values: results of `values_of_each`, `(examples,)`.
            labels: integers `(examples,)`.
        """
        return values.astype("float32")

    def result(self):
        """Returns the scores, float32 `(examples,)`."""
        return self.finished(self.values_of_each(), self.labels)

    def get_config(self):
        """Returns the arguments that make the same score again."""
        return options_of(self)


class OneEpochScore(Score):
    """Base class of the scores of the outputs at the end of one epoch, in eval mode.

    Class attributes:
        default_fraction: the part of the run after which the score looks, if `epoch` is `None`.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.
    """

    default_fraction = 1.0

    def __init__(self, epoch=None):
        self.epoch = require_positive_integer("epoch", epoch)

    def epochs_due(self, epochs):
        epoch = self.epoch or max(1, rounded_count(self.default_fraction, epochs))
        if epoch > epochs:
            raise InputError(
                f"`{self.name}` is due after the run has ended. Expected epoch <= {epochs}. "
                f"Received: epoch={epoch}"
            )
        return [epoch]


class EveryEpochScore(Score):
    """Base class of the scores of an example's whole way through training, in train mode.

    A *presentation* is one time that an example was trained on. If outputs come from a pass in
    eval mode, each epoch counts as one presentation. The values of all presentations go into a
    summary, by default their mean. A subclass with another summary overrides `new_summary`. Memory
    does not grow with the number of epochs.

    Class attributes:
        default_fraction: the part of the run that the score looks at, if `epochs` is `None`. It is
            at least one window.
        window: number of epochs in a window, for scores of windows that slide over the run. `None`
            means 10 epochs, or all that the score looks at if there are fewer.

    Args:
        epochs: how many of the first epochs to look at. Defaults to all.

    Raises:
        InputError: if `epochs` is not a positive integer.
    """

    mode = TRAIN
    default_fraction = 1.0
    window = 1

    def __init__(self, epochs=None):
        self.epochs = require_positive_integer("epochs", epochs)

    def epochs_due(self, epochs):
        # At least one window, because a shorter run has no score
        by_default = max(self.window or 10, rounded_count(self.default_fraction, epochs))
        last = self.epochs or min(epochs, by_default)
        if last > epochs:
            raise InputError(
                f"`{self.name}` looks at more epochs than the run has. Expected epochs <= "
                f"{epochs}. Received: epochs={last}"
            )
        if last < self.fewest_epochs:
            raise InputError(
                f"`{self.name}` needs at least {self.fewest_epochs} epochs. Received: "
                f"epochs={last}. Train for more epochs or give more checkpoints. "
                "`ScoreCallback(epochs=...)` makes one run of several fits."
            )
        if self.window and self.window > last:
            raise InputError(
                f"`{self.name}` needs as many epochs as its window has. Expected window <= "
                f"{last}. Received: window={self.window}"
            )
        return list(range(1, last + 1))

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.window_length = self.window or min(10, len(epochs))
        self.presentations = np.zeros(len(examples), np.int64)
        self.summary = self.new_summary(examples)

    def new_summary(self, examples):
        """Returns an empty summary of the values of each example.

        Its method `append(values, rows, presentations)` takes in one presentation of the examples
        at `rows`, which `presentations` counts, this one included. Its method
        `result(presentations)` returns the scores of all examples. It keeps its values in NumPy
        arrays, which are saved and restored in place if a run is interrupted.

        Args:
            examples: `Examples` that are about to be scored.
        """
        return RunningMean(len(examples))

    def update(self, values, rows=slice(None)):
        # Counted first, so that a summary can divide by the number of its values.
        self.presentations[rows] += 1
        self.summary.append(values, rows, self.presentations[rows])

    def state(self):
        return {"presentations": self.presentations, **arrays_of(self.summary, "summary.")}

    def restore(self, state):
        self.presentations[:] = state["presentations"]
        for path, values in arrays_of(self.summary, "summary.").items():
            values[:] = state[path]

    @property
    def needed(self):
        return max(self.fewest_epochs, self.window_length)

    @property
    def is_complete(self):
        # Examples that a stopped run has shown less often would get scores of another length.
        return self.presentations.min() >= self.needed

    def details(self):
        return {"window": self.window_length} if self.window_length > 1 else {}

    def values_of_each(self):
        return self.summary.result(self.presentations)
