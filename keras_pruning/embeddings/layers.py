"""Embeddings of all examples: outputs of a model's layers, or rows of a file, as vectors."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_pruning.embeddings import sources
from keras_pruning.embeddings.encoders import encoder
from keras_pruning.embeddings.vectors import as_vectors, extractor
from keras_pruning.errors import InputError
from keras_pruning.models.layers import no_vector
from keras_pruning.storage.temporary import temporary_folder


class Embeddings:
    """Embeddings of all examples after several layers.

    Args:
        labels: integers `(examples,)`.
        features: dictionary from `Embedding` to a float32 array or memory map
            `(examples, dimensions)`.
        support: `Embeddings` of the examples that neighbours and prototypes are taken from.
            Defaults to these examples.
        own_rows: integers `(examples,)`, the position of each example in the support, -1 if the
            support does not contain it. Defaults to 0 … examples - 1 without a `support`, and to
            -1 with one.
    """

    def __init__(self, labels, features, support=None, own_rows=None):
        self.labels, self.features = labels, features
        self.support = self if support is None else support
        if own_rows is None:
            own_rows = np.arange(len(labels)) if support is None else np.full(len(labels), -1)
        self.own_rows = own_rows

    def only(self, requests):
        """Returns the embeddings of fewer layers, in the order of `requests`.

        Args:
            requests: list of `Embedding`, each a key of `features`.
        """
        support = None if self.support is self else self.support.only(requests)
        features = {request: self.features[request] for request in requests}
        return Embeddings(self.labels, features, support, self.own_rows)


def rows_in(examples, support):
    """Returns the position of each example in the support, whatever the labels are.

    Args:
        examples: `Examples`.
        support: `Examples`.

    Returns:
        Integers `(examples,)`, rows of `support`, -1 if it does not contain the example.
    """
    ours, theirs = examples.provenance, support.provenance
    if any(ours[key] != theirs[key] for key in ("source", "split", "inputs")):
        return np.full(len(examples), -1)
    # Both share the stored examples: look their rows up there.
    places = np.full(examples.stored_count, -1)
    places[support.stored_rows] = np.arange(len(support))
    return places[examples.stored_rows]


@contextlib.contextmanager
def embeddings(model, examples, requests, batch_size=256, memory_limit=2**31, support=None):
    """Embeds all examples after several layers, in one pass over the data for each source.

    Args:
        model: Keras model, `None` if no request is about it.
        examples: `Examples`.
        requests: list of `Embedding`.
        batch_size: number of examples in a batch.
        memory_limit: number of bytes above which embeddings are memory maps of temporary files,
            which are removed when the context ends.
        support: `Examples` that neighbours and prototypes are taken from, embedded in a separate
            pass. Defaults to `examples`.

    Yields:
        `Embeddings`.

    Raises:
        InputError: if a layer does not return one tensor of finite numbers, if a source does not
            belong to the examples, or if the disk is too small.
    """
    with contextlib.ExitStack() as stack:
        own_rows = None
        if support is not None:
            # Embed the support first. Both share the memory.
            _require_rows_of_both(requests, examples, support)
            own_rows, memory_limit = rows_in(examples, support), memory_limit // 2
            context = embeddings(model, support, requests, batch_size, memory_limit)
            support = stack.enter_context(context)
        # Prepare the passes, which gives the dimensions and thereby the size in float32.
        passes = _passes(model, examples, requests, batch_size)
        dimensions = {key: value for task in passes for key, value in task.dimensions.items()}
        folder, size = None, 4 * len(examples) * sum(dimensions.values())
        if size > memory_limit:
            folder = Path(stack.enter_context(temporary_folder()))
            _require_disk(folder, size)
        features = {
            request: _empty(folder, number, (len(examples), dimensions[request]))
            for number, request in enumerate(requests)
        }
        # Run them, and scatter the vectors by row.
        for task in passes:
            for rows, vectors in task.vectors:
                for request, values in zip(task.dimensions, vectors, strict=True):
                    features[request][rows] = values
        yield Embeddings(examples.labels, features, support, own_rows)


def require_embeddings(model, examples, requests, support=None):
    """Raises each `InputError` of `embeddings` that can be raised without running a model.

    The rows of `.npy` files are read and checked.

    Args:
        model, examples, requests, support: as for `embeddings`.
    """
    if support is not None:
        _require_rows_of_both(requests, examples, support)
    # Preparing the passes checks the layers. Reading the rows of a file checks its values.
    for task in _passes(model, examples, requests, 1):
        if sources.is_array(task.source):
            for _ in task.vectors:
                pass


class _Pass(NamedTuple):
    """One pass over the data.

    Args:
        source: `Embedding.source` of all requests of the pass.
        dimensions: dictionary from `Embedding` to its number of dimensions.
        vectors: iterator over rows and a list of their vectors `(rows, dimensions)`.
    """

    source: str | None
    dimensions: dict
    vectors: Iterator


def _passes(model, examples, requests, batch_size):
    """Returns a `_Pass` for each source. Raises now if a layer or a file cannot be used."""
    passes = []
    for source in dict.fromkeys(request.source for request in requests):
        group = [request for request in requests if request.source == source]
        if sources.is_array(source):
            dimensions, vectors = _array_pass(source, examples, group)
        else:
            embedder = model if source is None else encoder(source, examples)
            dimensions, vectors = _model_pass(embedder, examples, group, batch_size)
        passes.append(_Pass(source, dimensions, vectors))
    return passes


def _require_rows_of_both(requests, examples, support):
    for source in {request.source for request in requests}:
        if sources.is_array(source):
            sources.require_rows_of_both(source, examples, support)


def _array_pass(path, examples, requests):
    """Returns dimensions and vectors of a pass over the rows of a file."""
    stored = sources.open_array(path)
    rows = sources.rows_of(path, len(stored), examples)
    width = stored.shape[1]
    dimensions = {request: min(width, request.max_dimension or width) for request in requests}
    # A generator: it reads the file when the pass runs.
    blocks = sources.blocks(stored, rows, path)
    vectors = (
        (part, [as_vectors(block, request) for request in requests]) for part, block in blocks
    )
    return dimensions, vectors


def _model_pass(model, examples, requests, batch_size):
    """Returns dimensions and vectors of a pass of the examples through a model."""
    batches = examples.scoring_batches(batch_size)
    extract, (specs, _) = extractor(model, requests, batches.element_spec[1])
    dimensions = {request: spec.shape[1] for request, spec in zip(requests, specs, strict=True)}
    return dimensions, _vectors(extract, batches, requests)


def _vectors(extract, batches, requests):
    """Yields rows and their vectors, batch by batch, after checking them."""
    for rows, x, _ in batches:
        vectors, finite = extract(x)
        if not finite:
            name = "" if requests[0].source is None else f" {requests[0].source}"
            raise InputError(
                f"The outputs of the model{name} are not finite. Expected finite numbers for all "
                "examples. Received: NaN or infinity. Its training may have diverged."
            )
        # A layer may merge or repeat examples, and then its rows belong to no example.
        for request, values in zip(requests, vectors, strict=True):
            if len(values) != len(rows):
                raise no_vector(request.layer, f"{len(values)} vectors for {len(rows)} examples")
        yield rows, vectors


def _empty(folder, number, shape):
    """Returns a float32 array in memory, or a memory map of a new file in `folder`."""
    if folder is None:
        return np.empty(shape, np.float32)
    return np.lib.format.open_memmap(folder / f"{number}.npy", "w+", np.float32, shape)


def _require_disk(folder, size):
    # A memory map on a full disk ends the process without a message.
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"The embeddings do not fit on the disk. Expected {size / 1e9:.0f} GB free for "
            f"temporary files in {folder.parent}. Received: {free / 1e9:.0f} GB. Name fewer or "
            "later `layers`, set a smaller `max_dimension`, or set TMPDIR to a larger disk."
        )
