"""Prediction depth: the layer from which an example's neighbours agree on its class."""

import numbers

import numpy as np

from keras_pruning.arguments import (
    require_boolean,
    require_fraction,
    require_one_of,
    require_positive_integer,
    require_seed,
)
from keras_pruning.embeddings import neighbors
from keras_pruning.embeddings.layers import rows_in
from keras_pruning.embeddings.requests import INPUT, OUTPUT, SOFTMAX, Embedding
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count, stratified_rows
from keras_pruning.models.layers import layer_names
from keras_pruning.scores.embedding_score import EmbeddingScore


def depth(votes, final):
    """Returns the smallest l such that every layer vote j >= l agrees with `final`.

    Args:
        votes: integers `(layers, examples)`, from the input to the softmax.
        final: integers `(examples,)`.

    Returns:
        Integers `(examples,)`: 0 if all layer votes agree, the number of layers if the last one
        does not.
    """
    disagrees = np.asarray(votes) != final
    # The last layer that disagrees decides: find it from the output backwards
    from_the_end = np.argmax(disagrees[::-1], axis=0)
    return np.where(disagrees.any(axis=0), len(disagrees) - from_the_end, 0)


def accuracy_by_depth(depths, correct):
    """Returns the accuracy of the network on the examples of each depth.

    Args:
        depths: integers `(examples,)`.
        correct: booleans `(examples,)`.

    Returns:
        A list of dictionaries of `depth`, `examples` and `accuracy`, by ascending depth.
    """
    rows = []
    for value in np.unique(depths):
        at_depth = correct[depths == value]
        rows.append(
            {
                "depth": int(value),
                "examples": len(at_depth),
                "accuracy": float(at_depth.mean()),
            }
        )
    return rows


def vote_names(layers):
    """Returns the names of the layer votes: `input`, the names of the layers, `softmax`.

    Args:
        layers: list of names, from `INPUT` to `SOFTMAX`.

    Returns:
        List of as many unique names. The input is called `<input>` if a layer is called `input`.
    """
    return [name if name.strip("<>") in layers else name.strip("<>") for name in layers]


class PredictionDepth(EmbeddingScore):
    """Prediction depth: how deep in the network the class of an example is settled.

    Formula:
        depth = min { l : vote_j(x) = prediction(x) for all j >= l }

    The layer vote j is the majority among the k nearest training examples (Euclidean, in the
    embedding after a layer). The raw input, the chosen hidden layers and the softmax vote.
    prediction(x) is the prediction of the network. A training example is never its own neighbour.
    A tie of votes goes to the class of the nearest neighbour among the tied. Training examples at
    equal distances are in random order, the same for all layers, so that the order of the examples
    plays no part. Examples that the network was not trained on are scored against those that it was
    trained on, the `support` of the driver.

    The metadata of the table has the accuracy of each layer vote, as `probe_accuracy`, and the
    accuracy of the network at each depth.

    Args:
        layers: list of the names of the hidden layers that vote, from the input to the output,
            with `"outer/inner"` for a layer inside another, or the number of last layers. Defaults
            to all that `keras_pruning.models.probe_layers` finds. A subclassed model needs
            the names.
        k: number of neighbours. Defaults to 30.
        support_fraction: part of the examples, drawn at random and stratified, that may be
            neighbours. It is the same for all layers and examples.
        support_count: number of examples that may be neighbours, in place of a fraction.
        max_dimension: a wider input or layer is reduced to this many dimensions, by
            `keras_pruning.embeddings.random_projection`, before the search for neighbours. `None`
            keeps all layers exact. The softmax is never reduced.
        against: `"prediction"` of the network, or `"label"`. Only against the label does the score
            claim to see wrong labels.
        include_self: whether an example may be its own neighbour.
        seed: integer, the seed of the support, of the projection and of the order of equal
            distances.

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
        if not (layers is None or isinstance(layers, list | tuple | numbers.Integral)):
            raise InputError(
                "Invalid `layers`. Expected a list of layer names or a number of last layers. "
                f"Received: layers={layers!r}"
            )
        if isinstance(layers, numbers.Integral):
            layers = require_seed(layers, "layers")
        require_one_of("against", against, ("prediction", "label"))
        include_self = require_boolean("include_self", include_self)
        support_fraction = require_fraction(support_fraction, "support_fraction")
        if support_count is not None and support_fraction != 1:
            raise InputError(
                "Expected `support_fraction` or `support_count`. Received both: "
                f"support_fraction={support_fraction}, support_count={support_count}"
            )
        seed = require_seed(seed)
        self.layers, self.k = layers, require_positive_integer("k", k)
        if self.k is None:
            raise InputError("Invalid `k`. Expected a positive integer. Received: k=None")
        self.support_fraction = support_fraction
        self.support_count = require_positive_integer("support_count", support_count)
        self.max_dimension = require_positive_integer("max_dimension", max_dimension)
        self.against, self.include_self, self.seed = against, include_self, seed
        # A network that has not memorised a wrong label agrees with the votes against it.
        self.sees_wrong_labels = against == "label"

    def reset(self, examples, epochs, support=None):
        super().reset(examples, epochs)
        self._details = {}
        support = examples if support is None else support
        count = self.support_count or keep_count(self.support_fraction, len(support))
        if count > len(support):
            raise InputError(
                f"Invalid `support_count`. Expected at most {len(support)}, the number of "
                f"examples. Received: support_count={count}"
            )
        # An example that finds itself in the support has one neighbour less.
        finds_itself = support is examples or (rows_in(examples, support) >= 0).any()
        if count - (finds_itself and not self.include_self) < self.k:
            raise InputError(
                "The support is too small. Expected more than k examples to be neighbours. "
                f"Received: k={self.k}, support of {count} examples"
            )
        # Draw the support once, the same for all layers
        rng = np.random.default_rng(self.seed)
        self.support = stratified_rows(support.labels, count, rng)

    def embeddings(self, model):
        names = [INPUT, *layer_names(model, self.layers)]
        reduced = [Embedding(name, self.max_dimension, self.seed) for name in names]
        return [*reduced, Embedding(SOFTMAX), Embedding(OUTPUT)]

    def observe(self, signal):
        """Returns the depth of each example, integers `(examples,)`.

        Args:
            signal: `keras_pruning.embeddings.layers.Embeddings` of those that `embeddings` returns.
        """
        *voting, output = signal.features
        # Let the layers vote
        predictions = signal.features[output].argmax(axis=1)
        votes = [self._vote(embedding, signal) for embedding in voting]
        final = predictions if self.against == "prediction" else signal.labels
        depths = depth(votes, final)
        # Describe the votes, for the metadata
        names = vote_names([embedding.layer for embedding in voting])
        accuracy = [float((vote == signal.labels).mean()) for vote in votes]
        self._details = {
            "support": len(self.support),
            "network_accuracy": float((predictions == signal.labels).mean()),
            "probe_accuracy": dict(zip(names, accuracy, strict=True)),
            "accuracy_by_depth": accuracy_by_depth(depths, predictions == signal.labels),
        }
        return depths

    def details(self):
        return self._details

    def _vote(self, embedding, signal):
        """Returns the layer vote for each example, integers `(examples,)`."""
        queries, support = signal.features[embedding], signal.support.features[embedding]
        # Leave each example out of its own neighbours
        leave_out = not self.include_self and (signal.own_rows >= 0).any()
        own_rows = signal.own_rows if leave_out else None
        nearest, _ = neighbors.nearest(
            queries, support, self.k, self.support, own_rows, seed=self.seed
        )
        return neighbors.vote(signal.support.labels[nearest])
