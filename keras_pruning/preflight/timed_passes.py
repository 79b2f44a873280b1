"""Times the scoring of a few examples with a model, in a child process."""

import itertools

import numpy as np

from keras_pruning.embeddings.layers import Embeddings, embeddings
from keras_pruning.embeddings.requests import Embedding
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count, stratified_rows
from keras_pruning.models.layers import PENULTIMATE
from keras_pruning.preflight.lines import Line, Square, growing
from keras_pruning.preflight.timed_training import some, timed
from keras_pruning.probing.collectors.input_gradients import InputGradientCollector
from keras_pruning.probing.collectors.outputs import OutputCollector
from keras_pruning.probing.extrapolation import neighbour_means

# Seconds from which on a pass is long enough, and a search for neighbours.
_SECONDS, _SEARCH = 0.7, 1.0
# Batches that are not measured in part.
_FEW = 8
# Examples among which a search for neighbours begins.
_SEARCHED = 1000


def time_outputs(model, examples, scores, batch_size, epochs):
    """Times passes that observe the outputs of a model.

    Args:
        model: Keras model that ends in logits.
        examples: `Examples`.
        scores: list of `Score` instances.
        batch_size: examples in a batch.
        epochs: length of the run.

    Returns:
        Tuple of the `Line` of a pass, the seconds of tracing its graph, and those of checking the
        model and tracing the first graph of the process.
    """
    tracing = [timed(lambda: OutputCollector(scores, examples, batch_size).check(model))]

    def measure(count):
        part = some(examples, count)
        collector = OutputCollector(scores, part, batch_size)
        collector.prepare(model, None)
        took = [timed(lambda: _observe(collector, model, part, epochs)) for _ in range(2)]
        tracing.append(max(0.0, took[0] - took[1]))
        return took[1]

    first = _first(batch_size, len(examples))
    # The second of two passes is without tracing, so that the next size is near the last.
    points = growing(measure, first, len(examples), _SECONDS, growth=64)
    return Line.through(points), tracing[-1], tracing[0] + tracing[1]


def _observe(collector, model, part, epochs):
    for score in collector.scores:
        score.reset(part, score.epochs_due(epochs))
    collector.observe(model, collector.scores)


def time_input_gradients(model, examples, scores, batch_size, epochs):
    """Times the pass that observes the input gradients of all checkpoints.

    Args:
        model, examples, scores, batch_size, epochs: as for `time_outputs`.

    Returns:
        Tuple of the `Line` of the pass and its number of checkpoints.
    """
    checkpoints = len({epoch for score in scores for epoch in score.epochs_due(epochs)})

    def measure(count):
        part = some(examples, count)
        collector = InputGradientCollector(scores, part, batch_size)
        collector.prepare(model, None)
        for score in scores:
            score.reset(part, score.epochs_due(epochs))
        for _ in range(checkpoints):
            collector.observe(model, scores)
        return timed(lambda: collector.finish(model))

    points = growing(measure, _first(batch_size, len(examples)), len(examples), 2 * _SECONDS)
    return _once(points), checkpoints


def time_embeddings(model, examples, requests, batch_size):
    """Times the pass that embeds examples.

    Args:
        model, examples, batch_size: as for `time_outputs`.
        requests: list of `Embedding`.

    Returns:
        Tuple of the `Line` of the pass and a dictionary from `Embedding` to its dimensions.
    """
    dimensions = {}

    def measure(count):
        def embed():
            with embeddings(model, some(examples, count), requests, batch_size) as embedded:
                vectors = embedded.features.items()
                dimensions.update({request: part.shape[1] for request, part in vectors})

        return timed(embed)

    points = growing(measure, _first(batch_size, len(examples)), len(examples), 2 * _SECONDS)
    return _once(points), dimensions


def time_search(model, examples, support, score, dimensions):
    """Times the observation of embeddings by one score, with random vectors in their place.

    Args:
        model: Keras model that ends in logits, or `None`.
        examples: `Examples`.
        support: `Examples` that neighbours come from if they are others, or `None`.
        score: an `EmbeddingScore`.
        dimensions: dictionary from `Embedding` to its dimensions.

    Returns:
        `Square` or `Line` from the number of examples to seconds.
    """
    requests = score.embeddings(model)

    def measure(count):
        part = some(examples, count)
        score.reset(part, [1], support=support)
        signal = _random(part, requests, dimensions)
        if support is not None:
            others = _random(support, requests, dimensions)
            signal = Embeddings(part.labels, signal.features, others)
        return timed(lambda: score.observe(signal))

    first = _fewest(measure, len(examples))
    points = growing(measure, first, len(examples), _SEARCH, growth=3)
    # The number of pairs grows with both sides, or with one of them.
    return Square.through(points) if support is None else Line.through(points)


def time_extrapolation(model, examples, fraction, batch_size, scores):
    """Times the estimation of the scores of all examples from those of a part.

    Args:
        model, examples, batch_size: as for `time_outputs`.
        fraction: part of the examples that is scored.
        scores: number of scores.

    Returns:
        Tuple of the `Line` of the pass and the `Square` of the estimation, from the number of
        examples to seconds.
    """
    request = Embedding(PENULTIMATE)
    line, dimensions = time_embeddings(model, examples, [request], batch_size)

    def measure(count):
        drawn = some(examples, count)
        vectors = _random(drawn, [request], dimensions).features[request]
        rng = np.random.default_rng(0)
        rows = stratified_rows(drawn.labels, max(1, rounded_count(fraction, count)), rng)
        values = np.zeros((len(rows), scores), np.float32)
        return timed(lambda: neighbour_means(values, vectors, drawn.labels, rows))

    points = growing(measure, _SEARCHED, len(examples), _SEARCH, growth=3)
    return line, Square.through(points)


def _once(points):
    """Returns the `Line` of a pass that a process makes once.

    The first graph of its kind takes longer to trace than those of the measurements after it.
    """
    line = Line.through(points)
    longer = points[0][1] - points[1][1] if len(points) > 1 else 0.0
    return line._replace(constant=line.constant + max(0.0, longer))


def _first(batch_size, total):
    """Returns the number of examples of the first pass: all, if they are a few batches."""
    return total if total <= _FEW * batch_size else batch_size


def _fewest(measure, total):
    """Returns the number of examples to begin with: a score may need some of every class."""
    for number in itertools.count():
        count = min(total, _SEARCHED * 4**number)
        try:
            measure(count)
            return count
        except InputError:
            if count == total:
                raise


def _random(examples, requests, dimensions):
    """Returns `Embeddings` of random vectors. Those of the same dimensions share their memory."""
    rng, shared = np.random.default_rng(len(examples)), {}
    for request in requests:
        width = dimensions[request]
        if width not in shared:
            shared[width] = rng.standard_normal((len(examples), width), np.float32)
    return Embeddings(examples.labels, {name: shared[dimensions[name]] for name in requests})
