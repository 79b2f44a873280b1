"""What every score has in common."""

import inspect

from keras_pruning.errors import InputError

OUTPUTS, INPUT_GRADIENTS, EMBEDDINGS = "outputs", "input_gradients", "embeddings"


class Score:
    """Base class of the scores: one number for each example that says how hard it is.

    A score consumes signals and never runs a model. A driver (`ScoreCallback`,
    `score_checkpoints`) calls `reset`, then `update` at each moment that `epochs_due` names, then
    `result`. A subclass sets `name`, `higher_is_harder` and `signal`, and overrides `observe`;
    what it does not override means: one moment, and its values are the scores.
    """

    name = None
    higher_is_harder = True
    signal = OUTPUTS
    fewest_epochs = 1

    def epochs_due(self, epochs):
        """The epochs, counted from 1, at whose end the score looks at a run of `epochs` epochs.

        Raises:
            InputError: if the run is too short for the score.
        """
        return [epochs]

    def reset(self, examples):
        """Forgets earlier runs.

        Args:
            examples: `Examples` that are about to be scored.
        """
        self.labels = examples.labels
        self.values = None

    def observe(self, signal):
        """The value of each example of a batch, `(batch,)`; runs inside a graph.

        Args:
            signal: `Outputs`, or input gradients `(checkpoints, batch, ...)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `observe`.")

    def update(self, values):
        """Takes in what was observed of all examples at one moment, an array `(examples,)`."""
        self.values = values

    def result(self):
        """The scores, float32 `(examples,)`."""
        return self.values.astype("float32")

    def get_config(self):
        """The arguments that make the same score again."""
        parameters = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in list(parameters)[1:] if hasattr(self, name)}


def positive_integer(name, value):
    """`value`, checked to be `None` or a positive integer."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InputError(
            f"Invalid `{name}`. Expected a positive integer. Received: {name}={value!r}"
        )
    return value
