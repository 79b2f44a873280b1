"""Numbers of examples that scoring passes through the model."""

import json
from dataclasses import asdict, dataclass

import numpy as np

# Name of the counts among the arrays of a state
_NAME = "passes"


@dataclass
class Passes:
    """Numbers of examples that a collector has passed through models, counting repeats.

    Args:
        forward: examples in forward passes of the scored model.
        weight_gradients: examples with a gradient by the weights of the model.
        input_gradients: examples with a gradient by the input of the model.
        other_models: examples in forward passes of other models, which give embeddings.
        searches: whether neighbours or prototypes of embeddings are searched for.
    """

    forward: int = 0
    weight_gradients: int = 0
    input_gradients: int = 0
    other_models: int = 0
    searches: bool = False


def passes_of(recorder):
    """Returns the `Passes` of each collector of a `ScoreRecorder`, a list."""
    return [collector.passes for collector in recorder.collectors.values()]


def state_of(passes):
    """Returns a list of `Passes` as a dictionary of arrays."""
    return {_NAME: np.array(json.dumps([asdict(part) for part in passes]))}


def restore_passes(passes, state):
    """Puts the counts of `state_of` into a list of `Passes`."""
    for part, counts in zip(passes, json.loads(str(state[_NAME])), strict=True):
        vars(part).update(counts)
