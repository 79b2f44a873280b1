"""Embeddings: what the layers of a functional model make of the examples."""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_pruning.errors import InputError
from keras_pruning.model_graph import layer_outputs, probe_layers, shows_layers


@dataclass
class Embeddings:
    """Embeddings of all examples after several layers.

    Args:
        names: names of the probes, from the input to the softmax.
        features: one float32 array or memory map `(examples, dimensions)` for each name.
        predictions: integers `(examples,)`, the model's own classes.
    """

    names: list
    features: list
    predictions: np.ndarray


@contextlib.contextmanager
def embeddings(model, examples, layers=None, batch_size=256, memory_limit=2**31):
    """Embeds all examples after all layers, in one pass over the data.

    Args:
        model: functional or sequential Keras model that ends in logits.
        examples: `Examples`.
        layers: names of hidden layers, or how many of the last of `probe_layers`; by default all
            of these. The input and the softmax are always added.
        batch_size: examples a batch.
        memory_limit: bytes; embeddings that take more are kept in memory maps, in temporary files
            that vanish when the context ends.

    Yields:
        `Embeddings`.

    Raises:
        InputError: if a layer does not exist or the model does not show its layers.
    """
    names = layer_names(model, layers)
    outputs = [_only_output(model, name) for name in names]
    # A dictionary, because Keras unpacks a list of one.
    extractor = keras.Model(model.inputs, {"hidden": outputs, "logits": model.outputs[0]})

    @tf.function
    def extract(x):
        output = extractor(x, training=False)
        # In float32 before the softmax: half precision would tie whole classes.
        hidden, logits = output["hidden"], tf.cast(output["logits"], tf.float32)
        values = [x, *hidden, tf.nn.softmax(logits)]
        flat = [tf.cast(tf.reshape(value, (tf.shape(x)[0], -1)), tf.float32) for value in values]
        return flat, tf.argmax(logits, axis=-1)

    # Concrete, or TensorFlow warns of "retracing" when several models are embedded.
    extract = extract.get_concrete_function(examples.scoring_batches(batch_size).element_spec[1])
    shapes = [examples.shape, *[output.shape[1:] for output in outputs], (examples.num_classes,)]
    dimensions = [int(np.prod(shape)) for shape in shapes]
    with contextlib.ExitStack() as stack:
        folder = None
        size = 4 * len(examples) * sum(dimensions)
        if size > memory_limit:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keras_pruning-")))
            _require_disk(folder, size)
        features = [
            _empty(folder, number, (len(examples), dimension))
            for number, dimension in enumerate(dimensions)
        ]
        predictions = np.empty(len(examples), np.int64)
        for rows, x, _ in examples.scoring_batches(batch_size):
            flat, predicted = extract(x)
            predictions[rows] = predicted
            for target, values in zip(features, flat, strict=True):
                target[rows] = values
        if not np.isfinite(features[-1]).all():
            raise InputError(
                "The model does not give finite outputs. Expected finite logits for all examples. "
                "Received: NaN or infinity. Its training may have diverged."
            )
        yield Embeddings(["input", *names, "softmax"], features, predictions)


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
            "later `layers`, or set TMPDIR to a larger disk."
        )


def layer_names(model, layers):
    """The names of the hidden layers that `layers` means, checked against `model`.

    Args:
        model: functional or sequential Keras model.
        layers: list of names, a number of last layers, or `None`, as in `embeddings`.

    Raises:
        InputError: if a layer does not exist or the model does not show its layers.
    """
    if not shows_layers(model):
        raise InputError(
            "This model does not show its layers. Expected a functional or sequential Keras model. "
            f"Received: {type(model).__name__}. Build it from keras.Input, or leave out "
            "prediction_depth."
        )
    if layers is None:
        return probe_layers(model)
    if isinstance(layers, int):
        names = probe_layers(model)
        if layers > len(names):
            raise InputError(
                f"Invalid `layers`. Expected at most {len(names)}, the hidden layers to probe. "
                f"Received: layers={layers}"
            )
        return names[len(names) - layers :]
    known = list(layer_outputs(model))
    missing = [name for name in layers if name not in known]
    if missing:
        raise InputError(f"Unknown layers. Expected names among {known}. Received: {missing}")
    return list(layers)


def _only_output(model, name):
    outputs = layer_outputs(model)[name]
    if len(outputs) > 1:
        raise InputError(
            f"The layer {name!r} has {len(outputs)} outputs. Expected layers with one. "
            "Name others in `layers`."
        )
    return outputs[0]
