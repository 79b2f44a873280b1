"""What every score has in common."""

import inspect

import numpy as np

from keras_pruning.arguments import positive_integer
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count

OUTPUTS, INPUT_GRADIENTS, EMBEDDINGS = "outputs", "input_gradients", "embeddings"
EVAL, TRAIN = "eval", "train"


class Score:
    """Base class of the scores: one number for each example that says how hard it is.

    A score consumes signals and never runs a model. A driver (the training step of a probe,
    `ScoreCallback`, `score_checkpoints`) calls `reset`, then `update` at each moment that
    `epochs_due` names, then `result`. A subclass sets `name` and `higher_is_harder`, and overrides
    `observe`; what it does not override means: one moment, and its values are the scores.

    Other class attributes: `signal`, what is observed; `mode`, the outputs that its paper takes,
    `"eval"`, or `"train"` for those that the training step itself computed; `over_seeds`,
    `"mean"` or `"sum"` over several probes; `fewest_epochs` and `fewest_classes`, below which
    there is no score;
    `before_learning_rate_drop`, whether later epochs do not count; `needs_penultimate`, whether
    it observes the input of the last layer; `needs_model`, whether it is of a trained model.
    """

    name = None
    higher_is_harder = True
    signal = OUTPUTS
    mode = EVAL
    over_seeds = "mean"
    fewest_epochs = 1
    fewest_classes = 1
    before_learning_rate_drop = False
    needs_penultimate = False
    needs_model = True

    def epochs_due(self, epochs):
        """The epochs, counted from 1, at whose end the score looks at a run of `epochs` epochs.

        None, `[]`, for a score that needs no model.

        Raises:
            InputError: if the run is too short for the score.
        """
        return [epochs] if self.needs_model else []

    def reset(self, examples, epochs):
        """Forgets earlier runs.

        Args:
            examples: `Examples` that are about to be scored.
            epochs: what `epochs_due` said.
        """
        self.labels = examples.labels
        self.values = None

    def observe(self, signal):
        """The values of each example of a batch, `(batch,)` or `(batch, ...)`; inside a graph.

        Args:
            signal: `Outputs`, or input gradients `(checkpoints, batch, ...)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `observe`.")

    def update(self, values, rows=slice(None)):
        """Takes in what was observed at one moment; a score of train mode overrides it.

        Args:
            values: array `(len(rows), ...)`.
            rows: positions in `examples.ids`, each at most once; by default all.
        """
        self.values = values

    @property
    def needed(self):
        """How many of the epochs that are due a run has to reach."""
        return self.fewest_epochs

    @property
    def is_complete(self):
        """Whether the run so far is enough for a result."""
        return self.values is not None

    def details(self):
        """What to know besides the config about how a result came about, a dictionary."""
        return {}

    def result(self):
        """The scores, float32 `(examples,)`."""
        return self.values.astype("float32")

    def get_config(self):
        """The arguments that make the same score again."""
        parameters = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in list(parameters)[1:] if hasattr(self, name)}


class OneEpochScore(Score):
    """Base class of the scores of the outputs at the end of one epoch, in eval mode.

    Args:
        epoch: epoch to score at the end of, counted from 1; by default the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.
    """

    def __init__(self, epoch=None):
        self.epoch = positive_integer("epoch", epoch)

    def default_epoch(self, epochs):
        """The epoch of a run of `epochs` epochs, unless the score was told one."""
        return epochs

    def epochs_due(self, epochs):
        epoch = self.epoch or self.default_epoch(epochs)
        if epoch > epochs:
            raise InputError(
                f"`{self.name}` is due after the run has ended. Expected epoch <= {epochs}. "
                f"Received: epoch={epoch}"
            )
        return [epoch]


class EarlyEpochScore(OneEpochScore):
    """Base class of the scores of one epoch early in training, by default after a tenth of it."""

    def default_epoch(self, epochs):
        return max(1, rounded_count(0.1, epochs))


class EveryEpochScore(Score):
    """Base class of the scores of an example's whole way through training, in train mode.

    Memory does not grow with the number of epochs: a subclass keeps what it needs by row, and
    overrides `update`, which it calls first, and `result`. A *presentation* is one time that an
    example was trained on; where outputs come from an eval pass, one epoch.

    Args:
        epochs: how many of the first epochs to look at; by default all.

    Raises:
        InputError: if `epochs` is not a positive integer.
    """

    mode = TRAIN

    def __init__(self, epochs=None):
        self.epochs = positive_integer("epochs", epochs)

    def default_epochs(self, epochs):
        """How many epochs of a run of `epochs` epochs to look at, unless the score was told."""
        return epochs

    def epochs_due(self, epochs):
        last = self.epochs or self.default_epochs(epochs)
        if last > epochs:
            raise InputError(
                f"`{self.name}` looks at more epochs than the run has. Expected epochs <= "
                f"{epochs}. Received: epochs={last}"
            )
        if last < self.fewest_epochs:
            raise InputError(
                f"`{self.name}` needs at least {self.fewest_epochs} epochs. Received: epochs={last}"
            )
        return list(range(1, last + 1))

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.presentations = np.zeros(len(examples), np.int64)

    def update(self, values, rows=slice(None)):
        self.presentations[rows] += 1

    @property
    def is_complete(self):
        return self.presentations.min() >= self.needed


class MeanOverEpochs(EveryEpochScore):
    """Base class of the scores that are the mean of what was observed at each presentation."""

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        self.mean = np.zeros(len(examples))

    def update(self, values, rows=slice(None)):
        super().update(values, rows)
        self.mean[rows] += (values - self.mean[rows]) / self.presentations[rows]

    def result(self):
        return self.mean.astype("float32")


class EmbeddingScore(Score):
    """Base class of the scores of what layers of the trained model make of the examples.

    A subclass overrides `wanted` and `observe`, whose signal is
    `keras_pruning.embeddings.layers.Embeddings` of all examples, and returns `(examples,)`.
    """

    signal = EMBEDDINGS

    def reset(self, examples, epochs, support=None):
        """Forgets earlier runs.

        Args:
            examples: `Examples` that are about to be scored.
            epochs: what `epochs_due` said.
            support: `Examples` that neighbours and prototypes are taken from; by default the same.
        """
        super().reset(examples, epochs)

    def wanted(self, model):
        """The embeddings that the score looks at, a list of `keras_pruning.embeddings.layers.Embedding`.

        Args:
            model: Keras model; `None` for a score that needs none.

        Raises:
            InputError: if the model does not have such layers.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `wanted`.")
