"""Writes vectors of examples to a `.npy` file: their inputs, a model's layer or a file's rows."""

import numpy as np

from keras_pruning.embeddings.encoders import encoder
from keras_pruning.embeddings.layers import embeddings
from keras_pruning.embeddings.requests import OUTPUT, Embedding
from keras_pruning.embeddings.sources import PIXELS, blocks, is_array, open_array, rows_of
from keras_pruning.errors import InputError
from keras_pruning.examples.array_spec import ArraySpec, described
from keras_pruning.models.layers import PENULTIMATE, layer_names
from keras_pruning.models.loading import output_for_zeros

_BATCH = 256


def write_vectors(path, examples, source=PIXELS, layer=None):
    """Writes one vector for each example, float32 `(examples, dimensions)`.

    Args:
        path: path of the new `.npy` file.
        examples: `Examples`.
        source: `"pixels"` for the inputs as batches have them, flattened; the path of a `.npy` file
            with a row for each example; or the path of a `.keras` file. The vector of a model with
            one output for each class is the input of its last layer, that of any other model its
            output.
        layer: name of another layer of the model whose output is the vector.

    Raises:
        InputError: if the inputs are not one array of numbers, or if the file does not belong to
            the examples.
    """
    if source == PIXELS:
        parts = _inputs(examples)
    elif is_array(source):
        stored = open_array(source)
        rows = rows_of(source, len(stored), examples)
        parts = (block for _, block in blocks(stored, rows, source))
    else:
        parts = _of_model(examples, source, layer)
    # Written block by block: a memory map on a full disk ends the process without a message.
    with open(path, "wb") as file:
        for number, part in enumerate(parts):
            if number == 0:
                header = np.lib.format.header_data_from_array_1_0(part)
                shape = {"shape": (len(examples), part.shape[1])}
                np.lib.format.write_array_header_1_0(file, header | shape)
            file.write(np.ascontiguousarray(part))


def embedding_layer(model, examples, layer=None):
    """Returns the name of the layer whose output is the embedding, as in `Embedding`.

    Args:
        model: Keras model.
        examples: `Examples` that the model takes.
        layer: name of a layer. Defaults to the input of the last layer of a classifier, and to the
            output of any other model.
    """
    outputs = output_for_zeros(model, examples.spec).shape
    is_classifier = outputs in ((1, examples.num_classes), (1, 1))
    if layer is None and not is_classifier:
        return OUTPUT
    return layer_names(model, [layer or PENULTIMATE])[0]


def _inputs(examples):
    """Yields blocks of the inputs of examples, float32 `(block, dimensions)`."""
    if not isinstance(examples.spec, ArraySpec) or examples.spec.dtype == "string":
        raise InputError(
            "The examples have no pixels to compare. Expected one array of numbers for each "
            f"example. Received: {described(examples.spec)}. Take the embedding from a model "
            "(FILE.keras) or from a file (FILE.npy)."
        )
    for _, x, _ in examples.scoring_batches(_BATCH):
        yield np.asarray(x, np.float32).reshape(len(x), -1)


def _of_model(examples, path, layer):
    """Yields blocks of a layer's outputs for examples, float32 `(block, dimensions)`."""
    model = encoder(path, examples)
    request = Embedding(embedding_layer(model, examples, layer))
    with embeddings(model, examples, [request], _BATCH, memory_limit=2**29) as embedded:
        vectors = embedded.features[request]
        for start in range(0, len(vectors), _BATCH):
            yield vectors[start : start + _BATCH]
