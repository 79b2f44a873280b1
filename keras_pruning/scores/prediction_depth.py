"""Prediction depth: the layer from which an example's neighbours agree on its class."""

import numpy as np

from keras_pruning import neighbors
from keras_pruning.errors import InputError
from keras_pruning.fractions import (
    keep_count,
    require_keep_fraction,
    require_seed,
    stratified_rows,
)
from keras_pruning.scores.score import EMBEDDINGS, Score, positive_integer


def depth(probe_predictions, final):
    """The smallest l such that every probe j >= l agrees with `final`.

    Args:
        probe_predictions: integers `(probes, examples)`, from the input to the softmax.
        final: integers `(examples,)`.

    Returns:
        Integers `(examples,)`: 0 if all probes agree, the number of probes if the last does not.
    """
    disagrees = np.asarray(probe_predictions) != final
    probes = len(disagrees)
    from_the_end = np.argmax(disagrees[::-1], axis=0)
    return np.where(disagrees.any(axis=0), probes - from_the_end, 0)


class PredictionDepth(Score):
    """Prediction depth: how deep in the network the class of an example is settled.

    Formula:
        depth = min { l : probe_j(x) = prediction(x) for all j >= l }

    Probe j is the vote of the k nearest training examples (Euclidean, in the embedding after a
    layer). The probes are the raw input, the chosen hidden layers and the softmax; prediction(x)
    is the network's own. A training example is never its own neighbour. A tie of votes goes to
    the class of the nearest neighbour among the tied.

    Args:
        layers: names of the hidden layers to probe, or how many of the last ones; by default all
            that `keras_pruning.model_graph.probe_layers` finds.
        k: number of neighbours.
        support_fraction: part of the examples, drawn at random and stratified, that may be
            neighbours; the same for all probes and examples.
        against: `"prediction"` of the network, or `"label"`.
        include_self: let an example be its own neighbour.
        seed: integer, the seed of the support.

    Raises:
        InputError: if an argument is invalid or the support has too few examples for `k`.

    Example:
        >>> callback = ScoreCallback(examples, scores=[PredictionDepth(layers=3, k=30)])

    Reference:
        Baldock et al., Deep Learning Through the Lens of Example Difficulty, 2021, section 2.1
        (arXiv 2106.09647).
    """

    name = "prediction_depth"
    higher_is_harder = True
    signal = EMBEDDINGS

    def __init__(
        self,
        layers=None,
        k=30,
        support_fraction=1.0,
        against="prediction",
        include_self=False,
        seed=0,
    ):
        number = isinstance(layers, int) and not isinstance(layers, bool) and layers >= 0
        if not (layers is None or number or isinstance(layers, list | tuple)):
            raise InputError(
                "Invalid `layers`. Expected a list of layer names or a number of last layers. "
                f"Received: layers={layers!r}"
            )
        if against not in ("prediction", "label"):
            raise InputError(
                "Invalid `against`. Expected 'prediction' or 'label'. "
                f"Received: against={against!r}"
            )
        if not isinstance(include_self, bool):
            raise InputError(
                "Invalid `include_self`. Expected True or False. "
                f"Received: include_self={include_self!r}"
            )
        require_keep_fraction(support_fraction, "support_fraction")
        require_seed(seed)
        self.layers, self.k = layers, positive_integer("k", k)
        self.support_fraction, self.against = support_fraction, against
        self.include_self, self.seed = include_self, seed

    def reset(self, examples, epochs):
        super().reset(examples, epochs)
        count = keep_count(self.support_fraction, len(examples))
        if count - (not self.include_self) < self.k:
            raise InputError(
                "The support is too small. Expected more than k examples to be neighbours. "
                f"Received: k={self.k}, support of {count} examples"
            )
        self.support = stratified_rows(examples.labels, count, np.random.default_rng(self.seed))

    def update(self, embeddings):
        """Takes in the embeddings of all examples.

        Args:
            embeddings: `keras_pruning.features.Embeddings` of the layers to probe.
        """
        votes = [self._vote(features) for features in embeddings.features]
        final = embeddings.predictions if self.against == "prediction" else self.labels
        self.values = depth(votes, final)

    def _vote(self, features):
        own = None if self.include_self else np.arange(len(features))
        nearest, _ = neighbors.nearest(features, features, self.k, self.support, own)
        return neighbors.vote(self.labels[nearest])
