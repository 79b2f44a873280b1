"""Prototypes: how far an example is from the centroid of its class, or from any of k-means."""

import numpy as np

from keras_pruning.arguments import require_one_of, require_positive_integer, require_seed
from keras_pruning.embeddings.centroids import (
    class_centroids,
    kmeans_centroids,
    nearest_centroid,
    squared_distances,
)
from keras_pruning.embeddings.directions import EUCLIDEAN, METRICS
from keras_pruning.embeddings.requests import OUTPUT, Embedding
from keras_pruning.embeddings.sources import is_array, require_source
from keras_pruning.errors import InputError
from keras_pruning.models.layers import PENULTIMATE, layer_names
from keras_pruning.scores.embedding_score import EmbeddingScore

CLASS, KMEANS = "class", "kmeans"


class Prototype(EmbeddingScore):
    """Prototypicality: how far an example is from a centroid of the embedding.

    Formula:
        d(x) = ‖h − c_y‖₂,          c_y the mean of h over the class of x  (centroids="class")
        d(x) = min_j ‖h − c_j‖₂,    c_j the centroids of k-means over h    (centroids="kmeans")
        1 − cos(h, c) in the place of ‖h − c‖₂                             (metric="cosine")

    h is the input of the last layer of the trained model, in eval mode, or an embedding from a
    file. k-means does not use labels: with the features of a self-supervised model the score needs
    neither labels nor training, and no probe is trained for it. An example counts in its own
    centroid, so that an example alone in its class is at distance 0. Examples that the network was
    not trained on are scored against those that it was trained on, the `support` of the driver.

    An embedding from a `.npy` file has a row for each example, in the order of `examples.ids`. If
    the examples were drawn or kept from a larger source, it may have a row for each example of the
    source instead. The model of a `.keras` file gets the examples as they are: floats, or pixels in
    [0, 1]. Its output is flattened.

    Args:
        centroids: `"class"`, or `"kmeans"` without labels.
        clusters: number of centroids of k-means. Defaults to the number of classes.
        embedding: path of a `.npy` file of floats `(examples, dimensions)`, or of a `.keras` file.
            Defaults to the embedding of the scored model.
        layer: name of the layer whose output is h, for models that do not show the input of their
            last layer, and for the model of a `.keras` file.
        metric: `"euclidean"`, or `"cosine"`, for which vectors and centroids get unit length.
        seed: integer, the seed of k-means.

    Raises:
        InputError: if an argument is invalid, the embedding has other rows than the examples, a
            class is missing in the support, or there are fewer examples than clusters.

    Example:
        >>> score = Prototype(centroids="kmeans", embedding="dino.npy", metric="cosine")
        >>> table = score_checkpoints([], examples, scores=[score])

    Reference:
        Sorscher et al., Beyond Neural Scaling Laws: Beating Power Law Scaling via Data Pruning,
        2022, section 5 (arXiv 2206.14486).
    """

    name = "prototype"
    higher_is_harder = True
    sees_wrong_labels = True

    def __init__(
        self,
        centroids=CLASS,
        clusters=None,
        embedding=None,
        layer=None,
        metric=EUCLIDEAN,
        seed=0,
    ):
        require_one_of("centroids", centroids, (CLASS, KMEANS))
        require_one_of("metric", metric, METRICS)
        seed = require_seed(seed)
        self.centroids, self.metric, self.seed = centroids, metric, seed
        self.clusters = require_positive_integer("clusters", clusters)
        if centroids == CLASS and clusters is not None:
            raise InputError(
                "Invalid `clusters`. Expected none with centroids='class', which has one for each "
                f"class; or centroids='kmeans'. Received: clusters={clusters}"
            )
        self.embedding = require_source(embedding)
        if not isinstance(layer, str | None):
            raise InputError(
                f"Invalid `layer`. Expected the name of a layer. Received: layer={layer!r}"
            )
        if layer is not None and is_array(self.embedding):
            raise InputError(
                "Invalid `layer`. Expected none with the embedding of a .npy file, which is taken "
                f"as it is. Received: layer={layer!r}"
            )
        self.layer = layer

    @property
    def needs_model(self):
        return self.embedding is None

    def reset(self, examples, epochs, support=None):
        super().reset(examples, epochs)
        self._details = {}
        support = examples if support is None else support
        self._clusters = self.clusters or examples.num_classes
        if self.centroids == KMEANS and self._clusters > len(support):
            raise InputError(
                f"Too many clusters. Expected at most {len(support)}, the number of examples. "
                f"Received: clusters={self._clusters}"
            )
        # A class without an example in the support has no centroid.
        missing = np.setdiff1d(examples.labels, support.labels)
        if self.centroids == CLASS and len(missing):
            raise InputError(
                "The support lacks a class. Expected examples of every class to be scored. "
                f"Received: none of the class {examples.class_names[missing[0]]!r}"
            )

    def embeddings(self, model):
        # An embedding of a file needs no layer of the scored model.
        if self.embedding is not None:
            return [Embedding(self.layer or OUTPUT, source=self.embedding)]
        (layer,) = layer_names(model, [self.layer or PENULTIMATE])
        return [Embedding(layer)]

    def observe(self, signal):
        """Returns the distance of each example, floats `(examples,)`.

        Args:
            signal: `keras_pruning.embeddings.layers.Embeddings` of the one that `embeddings`
                returns.
        """
        ((embedding, vectors),) = signal.features.items()
        support = signal.support.features[embedding]
        # Assign each example to a centroid: that of its label, or the nearest one
        if self.centroids == CLASS:
            centroids = class_centroids(support, signal.support.labels, self.metric)
            assigned, count = signal.labels, len(np.unique(signal.support.labels))
        else:
            centroids = kmeans_centroids(support, self._clusters, self.metric, self.seed)
            assigned, count = nearest_centroid(vectors, centroids, self.metric), self._clusters
        squares = squared_distances(vectors, centroids, assigned, self.metric)
        self._details = {
            "embedding": self.embedding or self.layer or "input of the last layer",
            "dimensions": vectors.shape[1],
            "support": len(support),
            "clusters": count,
            "inertia": float(squares.sum()),
        }
        # Of unit vectors, 1 − cos(h, c) is half of the squared distance.
        return np.sqrt(squares) if self.metric == EUCLIDEAN else squares / 2

    def details(self):
        """Returns the embedding, its size and the `inertia`, the sum of squared distances.

        The distances are those of the scored examples, after scaling to unit length for `"cosine"`.
        """
        return self._details
