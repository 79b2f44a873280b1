"""Prediction depth once more: by loops, on scikit-learn's neighbours in float64."""

import keras
import numpy as np
from sklearn.neighbors import NearestNeighbors


def outputs_of(model, examples, layers):
    """Returns the embedding of each layer, from the input to the softmax, and the classes.

    By a model of the test's own for the layers called `layers`.
    """
    x = examples.stored_inputs(np.arange(len(examples)))
    hidden = keras.Model(model.inputs[0], [model.get_layer(name).output for name in layers])(x)
    hidden = hidden if len(layers) > 1 else [hidden]
    logits = np.asarray(model(x, training=False))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features = [np.reshape(each, (len(x), -1)) for each in [x, *hidden, softmax]]
    return features, logits.argmax(axis=1)


def probe_votes(features, support_features, support_labels, rows, k, own):
    """The classes that the probes vote for, and for which examples that is no matter of taste.

    Args:
        features: list of arrays `(examples, dimensions)`.
        support_features: the same of the examples that are neighbours.
        support_labels: their labels.
        rows: which of them may be neighbours.
        k: number of neighbours.
        own: whether the examples are these very ones, none its own neighbour.
    """
    votes, clear = [], np.ones(len(features[0]), bool)
    for values, others in zip(features, support_features, strict=True):
        values, others = np.asarray(values, np.float64), np.asarray(others, np.float64)
        search = NearestNeighbors(n_neighbors=k + 2, algorithm="brute").fit(others[rows])
        found = search.kneighbors(values, return_distance=False)
        voted = []
        for row in range(len(values)):
            order = sorted(
                (((values[row] - others[rows[place]]) ** 2).sum(), rows[place])
                for place in found[row]
                if not (own and rows[place] == row)
            )
            clear[row] &= order[k][0] - order[k - 1][0] > 1e-6 * order[k][0]
            neighbours = [support_labels[place] for _, place in order[:k]]
            most = max(neighbours.count(label) for label in neighbours)
            voted.append(next(lab for lab in neighbours if neighbours.count(lab) == most))
        votes.append(voted)
    return np.array(votes), clear


def depth_of_votes(votes, final):
    """How many probes remain without those at the end that all agree with `final`."""
    depths = []
    for voted, right in zip(np.transpose(votes), final, strict=True):
        agreeing = 0
        while agreeing < len(voted) and voted[-1 - agreeing] == right:
            agreeing += 1
        depths.append(len(voted) - agreeing)
    return np.array(depths)
