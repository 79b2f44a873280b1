"""The time of an epoch on a kept 30 % of a TFDS data set, against an epoch on all of it.

python benchmarks/kept.py [EXAMPLES] [REPETITIONS]
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from rows import Row, main
from timing import ratios, tensorflow

BATCH_SIZE, KEPT = 128, 0.3
# Examples that a shuffled pipeline of TFDS has in memory
BUFFER = 1024


def measure(num_examples=20_000, repetitions=5):
    tensorflow()
    import tensorflow_datasets as tfds

    import keras_pruning as kp

    with tempfile.TemporaryDirectory() as folder:
        store(Path(folder), num_examples)
        examples = kp.load_examples("tfds:made", data_dir=folder)
        rng, count = np.random.default_rng(0), round(KEPT * len(examples))
        mask = np.isin(np.arange(len(examples)), rng.permutation(len(examples))[:count])
        subset = kp.Subset(examples.ids, examples.labels, mask)
        kept = examples.keep(subset)
        place = kp.export(kept, "tfds", Path(folder) / "kept" / "1.0.0")
        original, exported = (
            tfds.builder_from_directory(path) for path in (Path(folder) / "made" / "1.0.0", place)
        )
        pairs = {
            "`Examples.keep`": (
                kept.batches(BATCH_SIZE, shuffle=True),
                examples.batches(BATCH_SIZE, shuffle=True),
            ),
            "the exported TFDS data set": (pipeline(exported), pipeline(original)),
        }
        title = f"an epoch on {len(kept):,} of {len(examples):,} images 32 × 32 × 3, by"
        for name, (ours, reference) in pairs.items():
            times = epochs(ours, reference, repetitions)
            # Other programs of the machine slow an epoch down, but add nothing to its CPU time.
            for kind, pair in zip(("", ", CPU time of all threads"), times, strict=True):
                yield Row(
                    f"{title} {name}{kind}", "an epoch on all of them, in the same way", **pair
                )


def store(folder, num_examples):
    """Writes random images with a class each as a TFDS data set of several shards."""
    import keras_pruning as kp

    rng = np.random.default_rng(0)
    # Smooth like photographs, so that a PNG takes about as long to decode.
    coarse = rng.integers(0, 256, (num_examples, 8, 8, 3), "uint8")
    images = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.integers(
        0, 16, (num_examples, 32, 32, 3), "uint8"
    )
    examples = kp.Examples.from_arrays(images, np.arange(num_examples) % 10)
    kp.export(examples, "tfds", folder / "made" / "1.0.0")


def pipeline(builder):
    """Returns the batches of a TFDS data set, as its guides read them."""
    import tensorflow as tf

    dataset = builder.as_dataset(split="train", as_supervised=True, shuffle_files=True)
    dataset = dataset.map(
        lambda image, label: (tf.cast(image, tf.float32) / 255, label), tf.data.AUTOTUNE
    )
    return dataset.shuffle(BUFFER).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


def epochs(ours, reference, repetitions):
    """Returns the `ratios` of epochs of one model on two data sets in turn, in two kinds of time.

    The first kind is the time of a clock, the second the CPU time of this process.
    """
    import keras

    from keras_pruning.examples.array_spec import ArraySpec
    from keras_pruning.models import loading

    keras.utils.set_random_seed(0)
    model = loading.build("cnn", ArraySpec((32, 32, 3)), 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss)
    # Build the graphs and fill the caches.
    for batches in (ours, reference):
        epoch(model, batches)
    pairs = [(epoch(model, ours), epoch(model, reference)) for _ in range(repetitions)]
    return [ratios(*zip(*[(a[kind], b[kind]) for a, b in pairs], strict=True)) for kind in (0, 1)]


def epoch(model, batches):
    """Trains for an epoch and returns its time and its CPU time, without the start of `fit`."""
    import keras

    stamps = []

    def stamp(*_):
        stamps.append((time.perf_counter(), time.process_time()))

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=stamp, on_epoch_end=stamp)
    model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[callback])
    (start, cpu_start), (stop, cpu_stop) = stamps
    return stop - start, cpu_stop - cpu_start


if __name__ == "__main__":
    main(measure)
