"""Peak memory of recording for several numbers of epochs, each in a process of its own.

python benchmarks/memory.py [EXAMPLES] [EPOCHS ...]
"""

import os

from rows import Row, main
from timing import FASHION_MNIST, THREADS


def train(num_examples, epochs, recorded):
    """Trains a model and returns the peak memory of this process in MiB, without the imports."""
    import keras
    from peak import mebibytes

    import keras_pruning as kp
    from keras_pruning.config import TrainingConfig
    from keras_pruning.models import loading
    from keras_pruning.scores import SCORES
    from keras_pruning.training import fit

    imported = mebibytes("VmRSS")
    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    keras.utils.set_random_seed(0)
    model = loading.build("mlp", examples.spec, examples.num_classes, width=16)
    dynamics = [name for name in SCORES if SCORES[name].mode == "train"]
    callbacks = [kp.ScoreCallback(examples, dynamics)] if recorded else []
    options = TrainingConfig(epochs=epochs, batch_size=512, learning_rate=0.01)
    fit.train(model, examples, options, callbacks=callbacks)
    return epochs, recorded, mebibytes("VmHWM") - imported, len(dynamics)


def measure(num_examples=60_000, *epochs):
    from keras_pruning.jobs.local import run_each

    # Otherwise the number of memory arenas that glibc opens for waiting threads is random, and two
    # plain fits differ by hundreds of MiB.
    os.environ["MALLOC_ARENA_MAX"] = "2"
    calls = [
        {"num_examples": num_examples, "epochs": number, "recorded": recorded}
        for number in epochs or (5, 20, 80)
        for recorded in (False, True)
    ]
    peaks = {}
    for number, recorded, peak, count in run_each(train, calls, 1, THREADS, "runs"):
        peaks[number, recorded] = peak
        if recorded:
            yield Row.of_one_pair(
                f"peak of a process that records {count} scores, {num_examples:,} images, "
                f"{number} epochs, beyond the imports",
                "one that trains only",
                peak,
                peaks[number, False],
                unit="MiB",
            )


if __name__ == "__main__":
    main(measure)
