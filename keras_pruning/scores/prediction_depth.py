"""Prediction depth: the layer from which an example's neighbours agree on its class."""

import numpy as np

from keras_pruning.arguments import (
    positive_integer,
    require_boolean,
    require_fraction,
    require_one_of,
    require_seed,
)
from keras_pruning.embeddings import neighbors
from keras_pruning.embeddings.layers import INPUT, OUTPUT, SOFTMAX, Embedding, rows_in
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count, stratified_rows
from keras_pruning.models.layers import layer_names
from keras_pruning.scores.score import EmbeddingScore


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


def accuracy_by_depth(depths, correct):
    """How often the network is right about the examples of each depth.

    Args:
        depths: integers `(examples,)`.
        correct: booleans `(examples,)`.

    Returns:
        A list of dictionaries of `depth`, `examples` and `accuracy`, by ascending depth.
    """
    rows = []
    for value in np.unique(depths):
        there = correct[depths == value]
        rows.append({"depth": int(value), "examples": len(there), "accuracy": float(there.mean())})
    return rows


def probe_names(layers):
    """What to call the probes: `input`, the names of the layers, `softmax`.

    Args:
        layers: list of names, from `INPUT` to `SOFTMAX`.

    Returns:
        List of as many names, no two the same: the input is `<input>` where a layer is called
        `input`.
    """
    return [name if name.strip("<>") in layers else name.strip("<>") for name in layers]


class PredictionDepth(EmbeddingScore):
    """Prediction depth: how deep in the network the class of an example is settled.

    Formula:
        depth = min { l : probe_j(x) = prediction(x) for all j >= l }

    Probe j is the vote of the k nearest training examples (Euclidean, in the embedding after a
    layer). The probes are the raw input, the chosen hidden layers and the softmax; prediction(x)
    is the network's own. A training example is never its own neighbour. A tie of votes goes to
    the class of the nearest neighbour among the tied. Examples that the network was not trained on
    are scored against those that it was trained on, the `support` of the driver.

    The accuracy of each probe and that of the network at each depth are in the metadata of the
    table.

    Args:
        layers: names of the hidden layers to probe, from the input to the output, `"outer/inner"`
            for one inside another; or how many of the last ones; by default all that
            `keras_pruning.models.graph.probe_layers` finds. A subclassed model needs the names.
        k: number of neighbours.
        support_fraction: part of the examples, drawn at random and stratified, that may be
            neighbours; the same for all probes and examples.
        support_count: how many of them instead of what part.
        max_dimension: a wider input or layer is reduced to as many dimensions, by
            `keras_pruning.embeddings.random_projection`, before neighbours are looked for; `None` keeps all
            exact. The softmax is never reduced.
        against: `"prediction"` of the network, or `"label"`.
        include_self: let an example be its own neighbour.
        seed: integer, the seed of the support and of the projection.

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

    def __init__(
        self,
        layers=None,
        k=30,
        support_fraction=1.0,
        support_count=None,
        max_dimension=512,
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
        require_one_of("against", against, ("prediction", "label"))
        require_boolean("include_self", include_self)
        require_fraction(support_fraction, "support_fraction")
        if support_count is not None and support_fraction != 1:
            raise InputError(
                "Expected `support_fraction` or `support_count`. Received both: "
                f"support_fraction={support_fraction}, support_count={support_count}"
            )
        require_seed(seed)
        self.layers, self.k = layers, positive_integer("k", k)
        if self.k is None:
            raise InputError("Invalid `k`. Expected a positive integer. Received: k=None")
        self.support_fraction = support_fraction
        self.support_count = positive_integer("support_count", support_count)
        self.max_dimension = positive_integer("max_dimension", max_dimension)
        self.against, self.include_self, self.seed = against, include_self, seed

    def reset(self, examples, epochs, support=None):
        super().reset(examples, epochs)
        self._details = {}
        support = examples if support is None else support
        count = self.support_count or keep_count(self.support_fraction, len(support))
        if count > len(support):
            raise InputError(
                f"Invalid `support_count`. Expected at most {len(support)}, the examples there "
                f"are. Received: support_count={count}"
            )
        finds_itself = support is examples or (rows_in(examples, support) >= 0).any()
        if count - (finds_itself and not self.include_self) < self.k:
            raise InputError(
                "The support is too small. Expected more than k examples to be neighbours. "
                f"Received: k={self.k}, support of {count} examples"
            )
        rng = np.random.default_rng(self.seed)
        self.support = stratified_rows(support.labels, count, rng)

    def wanted(self, model):
        hidden = [INPUT, *layer_names(model, self.layers)]
        probes = [Embedding(name, self.max_dimension, self.seed) for name in hidden]
        return [*probes, Embedding(SOFTMAX), Embedding(OUTPUT)]

    def observe(self, signal):
        """The depth of each example, integers `(examples,)`.

        Args:
            signal: `keras_pruning.embeddings.layers.Embeddings` of what `wanted` names.
        """
        *probes, output = signal.features
        predictions = signal.features[output].argmax(axis=1)
        votes = {probe: self._vote(probe, signal) for probe in probes}
        final = predictions if self.against == "prediction" else signal.labels
        depths = depth(list(votes.values()), final)
        self._details = {
            "support": len(self.support),
            "network_accuracy": float((predictions == signal.labels).mean()),
            "probe_accuracy": dict(
                zip(
                    probe_names([probe.layer for probe in votes]),
                    [float((voted == signal.labels).mean()) for voted in votes.values()],
                    strict=True,
                )
            ),
            "accuracy_by_depth": accuracy_by_depth(depths, predictions == signal.labels),
        }
        return depths

    def details(self):
        return self._details

    def _vote(self, probe, signal):
        queries, support = signal.features[probe], signal.support.features[probe]
        leave_out = not self.include_self and (signal.own_rows >= 0).any()
        own = signal.own_rows if leave_out else None
        nearest, _ = neighbors.nearest(queries, support, self.k, self.support, own)
        return neighbors.vote(signal.support.labels[nearest])
