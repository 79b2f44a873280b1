"""Which examples a config scores, and which of them its probes train on."""

import dataclasses
from dataclasses import dataclass

from keras_pruning.errors import InputError
from keras_pruning.examples import Examples, load_examples
from keras_pruning.probing.extrapolation import scored_part


@dataclass(frozen=True)
class ScoredExamples:
    """The examples of a score table, where they are scored, and where a probe learns.

    Args:
        all: `Examples` of the score table.
        scored: those that a probe scores; the scores of the others are carried over.
        trained_on: those that a probe trains on, and that neighbours and prototypes come from.
    """

    all: Examples
    scored: Examples
    trained_on: Examples

    @property
    def carried_over(self):
        """Whether some scores come from neighbours."""
        return self.scored is not self.all

    @property
    def unseen(self):
        """Whether probes do not train on what they score."""
        return self.scored is not self.trained_on


def scored_examples(config):
    """The `ScoredExamples` of a `Config`: training examples, a part of them, or the test split.

    Raises:
        InputError: if there are no such examples, or they do not fit each other.
    """
    dataset = dataclasses.asdict(config.dataset)
    examples = load_examples(split="train", **dataset)
    if config.probe.split == "train":
        part = scored_part(examples, config.probe.fraction, config.seed)
        return ScoredExamples(examples, part, part)
    test = load_examples(split="test", **{**dataset, "fraction": 1.0})
    if test.shape != examples.shape:
        raise InputError(
            "Training and test examples differ. "
            f"Expected test examples of shape {examples.shape}. Received: {test.shape}"
        )
    return ScoredExamples(test, test, examples)


def require_training_split(config, command):
    """Raises an `InputError` if a command that prunes is told to score the test split."""
    if config.probe.split != "train":
        raise InputError(
            f"The command `{command}` scores what models train on. Expected probe.split: train. "
            f"Received: {config.probe.split}. The command `score` scores the test split."
        )
