"""Embeddings: what the layers of a model make of the examples."""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pruning.errors import InputError
from keras_pruning.layer_outputs import PENULTIMATE as PENULTIMATE
from keras_pruning.layer_outputs import show
from keras_pruning.random_projection import random_projection

# No layer can have these names.
INPUT, OUTPUT = "<input>", "<output>"


@dataclass(frozen=True)
class Embedding:
    """What one layer makes of each example, as a vector.

    Args:
        layer: name of a layer as in `keras_pruning.layer_outputs.layer_names`; or `INPUT`, the
            example itself, `PENULTIMATE`, what the last dense layer is fed, `OUTPUT`, what the
            model gives.
        max_dimension: a wider layer is reduced to this many dimensions by `random_projection`;
            `None` keeps every layer exact.
        seed: integer, the seed of that projection.
    """

    layer: str
    max_dimension: int | None = None
    seed: int = 0


class Embeddings:
    """Embeddings of all examples after several layers.

    Args:
        labels: integers `(examples,)`.
        features: dictionary from `Embedding` to a float32 array or memory map
            `(examples, dimensions)`.
        support: `Embeddings` of the examples that neighbours and prototypes are taken from; by
            default these.
    """

    def __init__(self, labels, features, support=None):
        self.labels, self.features = labels, features
        self.support = self if support is None else support

    def only(self, wanted):
        """The same examples after fewer layers, in the order of `wanted`, a list of `Embedding`."""
        support = None if self.support is self else self.support.only(wanted)
        return Embeddings(self.labels, {each: self.features[each] for each in wanted}, support)


@contextlib.contextmanager
def embeddings(model, examples, wanted, batch_size=256, memory_limit=2**31, support=None):
    """Embeds all examples after several layers, in one pass over the data.

    Args:
        model: Keras model.
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
        InputError: if a layer does not give one tensor, or one that is not finite, or the disk is
            too small.
    """
    with contextlib.ExitStack() as stack:
        if support is not None:
            within = embeddings(model, support, wanted, batch_size, memory_limit)
            support = stack.enter_context(within)
        batches = examples.scoring_batches(batch_size)
        extract = _extractor(model, wanted, batches.element_spec[1])
        dimensions = [spec.shape[1] for spec in extract.structured_outputs[0]]
        folder, size = None, 4 * len(examples) * sum(dimensions)
        if size > memory_limit:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keras_pruning-")))
            _require_disk(folder, size)
        features = [
            _empty(folder, number, (len(examples), dimension))
            for number, dimension in enumerate(dimensions)
        ]
        for rows, x, _ in batches:
            vectors, finite = extract(x)
            if not finite:
                raise InputError(
                    "The model does not give finite outputs. Expected finite numbers for all "
                    "examples. Received: NaN or infinity. Its training may have diverged."
                )
            for target, values in zip(features, vectors, strict=True):
                target[rows] = values
        named = dict(zip(wanted, features, strict=True))
        yield Embeddings(examples.labels, named, support)


def _extractor(model, wanted, spec):
    """A graph from a batch to its vectors and whether all of them are finite."""
    special = (INPUT, OUTPUT)
    shown = show(model, list({each.layer for each in wanted if each.layer not in special}))

    @tf.function
    def extract(x):
        outputs, hidden = shown(x)
        values = {INPUT: x, OUTPUT: outputs, **hidden}
        vectors = [_as_vectors(values[each.layer], each) for each in wanted]
        finite = [tf.reduce_all(tf.math.is_finite(each)) for each in [outputs, *vectors]]
        return vectors, tf.reduce_all(finite)

    # Concrete, or TensorFlow warns of "retracing" when several models are embedded.
    return extract.get_concrete_function(spec)


def _as_vectors(values, embedding):
    """A tensor `(batch, ...)` as float32 `(batch, dimensions)`, reduced where it is too wide."""
    dimensions = int(np.prod(values.shape[1:]))
    # In float32 before anything else: half precision would tie whole classes after a softmax.
    vectors = tf.cast(tf.reshape(values, (-1, dimensions)), tf.float32)
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
