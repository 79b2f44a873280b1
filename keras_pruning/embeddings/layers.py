"""Embeddings: what the layers of a model make of the examples."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.embeddings import sources
from keras_pruning.embeddings.random_projection import random_projection
from keras_pruning.errors import InputError
from keras_pruning.models.layers import PENULTIMATE as PENULTIMATE
from keras_pruning.models.layers import no_vector, show

# No layer can have these names.
INPUT, OUTPUT, SOFTMAX = "<input>", "<output>", "<softmax>"


@dataclass(frozen=True)
class Embedding:
    """What one layer makes of each example, as a vector.

    Args:
        layer: name of a layer as in `keras_pruning.models.layers.layer_names`; or `INPUT`, the
            example itself, `PENULTIMATE`, what the last dense layer is fed, `OUTPUT`, what the
            model gives, `SOFTMAX`, the probabilities of these logits.
        max_dimension: a wider layer is reduced to this many dimensions by `random_projection`;
            `None` keeps every layer exact.
        seed: integer, the seed of that projection.
        source: what the layer is one of; by default the model that is scored, else the path of a
            `.keras` file. Or the path of a `.npy` file, whose rows are the vectors; `layer` is then
            `OUTPUT`.
    """

    layer: str
    max_dimension: int | None = None
    seed: int = 0
    source: str | None = None


class Embeddings:
    """Embeddings of all examples after several layers.

    Args:
        labels: integers `(examples,)`.
        features: dictionary from `Embedding` to a float32 array or memory map
            `(examples, dimensions)`.
        support: `Embeddings` of the examples that neighbours and prototypes are taken from; by
            default these.
        own_rows: integers `(examples,)`, where each example lies in the support itself, -1 for
            nowhere; by default every example in its own place, if the support is these.
    """

    def __init__(self, labels, features, support=None, own_rows=None):
        self.labels, self.features = labels, features
        self.support = self if support is None else support
        if own_rows is None:
            own_rows = np.arange(len(labels)) if support is None else np.full(len(labels), -1)
        self.own_rows = own_rows

    def only(self, wanted):
        """The same examples after fewer layers, in the order of `wanted`, a list of `Embedding`."""
        support = None if self.support is self else self.support.only(wanted)
        features = {each: self.features[each] for each in wanted}
        return Embeddings(self.labels, features, support, self.own_rows)


def rows_in(examples, support):
    """Where the same stored examples lie among others, whatever their labels say.

    Args:
        examples: `Examples`.
        support: `Examples`.

    Returns:
        Integers `(examples,)`, rows of `support`, -1 where it does not have the example.
    """
    ours, theirs = examples.provenance, support.provenance
    if any(ours[key] != theirs[key] for key in ("source", "split", "inputs")):
        return np.full(len(examples), -1)
    places = np.full(examples.stored_count, -1)
    places[support.stored_rows] = np.arange(len(support))
    return places[examples.stored_rows]


@contextlib.contextmanager
def embeddings(model, examples, wanted, batch_size=256, memory_limit=2**31, support=None):
    """Embeds all examples after several layers, in one pass over the data for each source.

    Args:
        model: Keras model; `None` if nothing is wanted of it.
        examples: `Examples`.
        wanted: list of `Embedding`.
        batch_size: examples a batch.
        memory_limit: bytes; embeddings that take more are kept in memory maps, in temporary files
            that vanish when the context ends.
        support: `Examples` that neighbours and prototypes are to be taken from, embedded in a pass
            of their own; by default `examples`.

    Yields:
        `Embeddings`.

    Raises:
        InputError: if a layer does not give one tensor, or one that is not finite, a source is
            not one of the examples, or the disk is too small.
    """
    with contextlib.ExitStack() as stack:
        own_rows = None
        if support is not None:
            _require_rows_of_both(wanted, examples, support)
            own_rows, memory_limit = rows_in(examples, support), memory_limit // 2
            within = embeddings(model, support, wanted, batch_size, memory_limit)
            support = stack.enter_context(within)
        passes = _passes(model, examples, wanted, batch_size)
        dimensions = {key: value for each in passes for key, value in each.dimensions.items()}
        folder, size = None, 4 * len(examples) * sum(dimensions.values())
        if size > memory_limit:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keras_pruning-")))
            _require_disk(folder, size)
        features = {
            each: _empty(folder, number, (len(examples), dimensions[each]))
            for number, each in enumerate(wanted)
        }
        for each_pass in passes:
            for rows, vectors in each_pass.vectors:
                for each, values in zip(each_pass.dimensions, vectors, strict=True):
                    features[each][rows] = values
        yield Embeddings(examples.labels, features, support, own_rows)


def require_embeddings(model, examples, wanted, support=None):
    """Raises an `InputError` if `embeddings` would, as far as can be said without running a model.

    Args:
        model, examples, wanted, support: as for `embeddings`.
    """
    if support is not None:
        _require_rows_of_both(wanted, examples, support)
    for each in _passes(model, examples, wanted, 1):
        if sources.is_array(each.source):
            for _ in each.vectors:
                pass


class _Pass(NamedTuple):
    """One pass over the data.

    Args:
        source: as of `Embedding`.
        dimensions: dictionary from `Embedding` to how many dimensions it has.
        vectors: iterator over rows and a list of their vectors `(rows, dimensions)`.
    """

    source: str | None
    dimensions: dict
    vectors: Iterator


def _passes(model, examples, wanted, batch_size):
    """A `_Pass` for each source; errors that can be found without the examples are raised now."""
    passes = []
    for source in dict.fromkeys(each.source for each in wanted):
        of_source = [each for each in wanted if each.source == source]
        if sources.is_array(source):
            found = _of_array(source, examples, of_source)
        else:
            embedder = model if source is None else sources.encoder(source, examples)
            found = _of_model(embedder, examples, of_source, batch_size)
        passes.append(_Pass(source, *found))
    return passes


def _require_rows_of_both(wanted, examples, support):
    for source in {each.source for each in wanted}:
        if sources.is_array(source):
            sources.require_rows_of_both(source, examples, support)


def _of_array(path, examples, wanted):
    """Dimensions and vectors of a pass over the rows of a file."""
    stored = sources.open_array(path)
    rows = sources.rows_of(path, len(stored), examples)
    width = stored.shape[1]
    dimensions = {each: min(width, each.max_dimension or width) for each in wanted}
    blocks = sources.blocks(stored, rows, path)
    vectors = ((part, [_as_vectors(block, each) for each in wanted]) for part, block in blocks)
    return dimensions, vectors


def _of_model(model, examples, wanted, batch_size):
    """Dimensions and vectors of a pass over the examples."""
    batches = examples.scoring_batches(batch_size)
    extract, (specs, _) = _extractor(model, wanted, batches.element_spec[1])
    dimensions = {each: spec.shape[1] for each, spec in zip(wanted, specs, strict=True)}
    return dimensions, _vectors(extract, batches, wanted)


def _vectors(extract, batches, wanted):
    for rows, x, _ in batches:
        vectors, finite = extract(x)
        if not finite:
            name = "" if wanted[0].source is None else f" {wanted[0].source}"
            raise InputError(
                f"The model{name} does not give finite outputs. Expected finite numbers for all "
                "examples. Received: NaN or infinity. Its training may have diverged."
            )
        for each, values in zip(wanted, vectors, strict=True):
            if len(values) != len(rows):
                raise no_vector(each.layer, f"{len(values)} vectors for {len(rows)} examples")
        yield rows, vectors


def _extractor(model, wanted, spec):
    """A graph from a batch to its vectors and whether all of them are finite."""
    special = (INPUT, OUTPUT, SOFTMAX)
    shown = show(model, list({each.layer for each in wanted if each.layer not in special}))

    def extract(x):
        outputs, hidden = shown(x)
        values = {INPUT: x, OUTPUT: outputs, **hidden}
        if any(each.layer == SOFTMAX for each in wanted):
            values[SOFTMAX] = ops.softmax(ops.cast(outputs, "float32"))
        vectors = [_as_vectors(values[each.layer], each) for each in wanted]
        checked = [ops.cast(outputs, "float32"), *vectors]
        finite = [ops.all(ops.isfinite(values)) for values in checked]
        return vectors, ops.all(ops.stack(finite))

    return traced(extract, spec)


def _as_vectors(values, embedding):
    """A tensor `(batch, ...)` as float32 `(batch, dimensions)`, reduced where it is too wide."""
    if None in values.shape[1:]:
        raise no_vector(embedding.layer, f"an output of shape {values.shape}")
    dimensions = int(np.prod(values.shape[1:]))
    # In float32 before anything else: half precision would tie whole classes after a softmax.
    vectors = ops.cast(ops.reshape(values, (-1, dimensions)), "float32")
    if embedding.max_dimension is None or dimensions <= embedding.max_dimension:
        return vectors
    return random_projection(vectors, embedding.max_dimension, embedding.seed)


def _empty(folder, number, shape):
    if folder is None:
        return np.empty(shape, np.float32)
    return np.lib.format.open_memmap(folder / f"{number}.npy", "w+", np.float32, shape)


def _require_disk(folder, size):
    # A memory map on a full disk would kill the process without a word.
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"The embeddings do not fit on the disk. Expected {size / 1e9:.0f} GB free for "
            f"temporary files in {folder.parent}. Received: {free / 1e9:.0f} GB. Name fewer or "
            "later `layers`, set a smaller `max_dimension`, or set TMPDIR to a larger disk."
        )
