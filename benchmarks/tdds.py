"""Peak memory of a run that records TDDS, by the training step and in passes of its own.

python benchmarks/tdds.py [EXAMPLES] [CLASSES]
"""

import os

from rows import Row, main
from timing import THREADS

FEATURES, EPOCHS = 8, 3
DRIVERS = {
    "recording": "of the training step",
    "passes": "of passes in eval mode",
    None: "alone",
}


def train(num_examples, num_classes, driver):
    """Trains a model, and returns the driver and the peak memory of the fit in MiB."""
    import keras
    import numpy as np
    from peak import peaks

    import keras_pruning as kp

    rng = np.random.default_rng(0)
    x = rng.random((num_examples, FEATURES), np.float32)
    labels = np.arange(num_examples) % num_classes
    examples = kp.Examples.from_arrays(x, labels, num_classes=num_classes)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(num_classes)])
    callbacks = []

    def fit():
        fitted = model
        if driver:
            callbacks.append(kp.ScoreCallback(examples, ["tdds"], verify=False))
        if driver == "recording":
            fitted = callbacks[0].recording(model)
        fitted.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = examples.batches(512, shuffle=True, rows=driver == "recording")
        options = {"callbacks": callbacks, "verbose": 0, "shuffle": False}
        fitted.fit(batches, epochs=EPOCHS, **options)

    peak, _ = peaks(fit)
    return driver, peak


def measure(num_examples=200_000, num_classes=1000):
    from keras_pruning.jobs.local import run_each

    # As in `memory.py`: the number of arenas is random otherwise
    os.environ["MALLOC_ARENA_MAX"] = "2"
    size = {"num_examples": num_examples, "num_classes": num_classes}
    calls = [{**size, "driver": driver} for driver in DRIVERS]
    peaks = dict(run_each(train, calls, 1, THREADS, "runs"))
    logits = 4 * num_examples * num_classes / 2**20
    for driver, text in DRIVERS.items():
        yield Row.of_one_pair(
            f"peak of a fit with `tdds` {text}, {num_examples:,} examples, {num_classes:,} classes"
            if driver
            else "peak of the fit alone",
            "as many floats as examples × classes",
            peaks[driver],
            logits,
            unit="MiB",
        )


if __name__ == "__main__":
    main(measure)
