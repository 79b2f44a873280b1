"""The cost of recording the scores of training dynamics, against a plain fit of the same model.

The first row compares a plain fit with another one. Its ratio is 1, and what is measured beside it
is the error of the other rows. All epochs of one kind are those of one fit, as in a real run:
each fit that records traces its step anew, which is not part of the rows.

python benchmarks/recording.py [EXAMPLES] [REPETITIONS]
"""

import threading

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow

# More than are measured
EPOCHS = 10_000


class Turns:
    """Work in a thread that pauses between its parts. A call lets it do the next one."""

    def __init__(self):
        self._next, self._done = threading.Semaphore(0), threading.Event()

    def start(self, work):
        """Starts the work, a function that calls `begin` and `end` around each part."""
        threading.Thread(target=work, daemon=True).start()

    def __call__(self):
        self._done.clear()
        self._next.release()
        self._done.wait()

    def begin(self):
        """Waits for the turn of the next part."""
        self._next.acquire()

    def end(self):
        """Ends a part."""
        self._done.set()


def measure(num_examples=4_000, repetitions=20):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.models import loading
    from keras_pruning.scores import SCORES

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    dynamics = [name for name in SCORES if SCORES[name].mode == "train"]

    def epochs_of(scores):
        """Returns a function that trains one more epoch, and records `scores` if there are any."""
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, examples.num_classes)
        callbacks = [kp.ScoreCallback(examples, scores, epochs=EPOCHS)] if scores else []
        for callback in callbacks:
            model = callback.recording(model)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = examples.batches(128, shuffle=True, rows=bool(scores))
        options = {"epochs": EPOCHS, "verbose": 0, "shuffle": False}
        turns = Turns()
        pauses = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: turns.begin(),
            on_epoch_end=lambda epoch, logs: turns.end(),
        )
        turns.start(lambda: model.fit(batches, callbacks=[*callbacks, pauses], **options))
        return turns

    yield Row(
        f"a plain `fit`: an epoch of {len(examples):,} images",
        "another plain `fit`",
        **paired(epochs_of([]), epochs_of([]), repetitions),
    )
    few = [name for name in dynamics if name != "tdds"]
    for names, note in ((few, ""), (dynamics, ", TDDS among them")):
        yield Row(
            f"`fit` that records {len(names)} scores{note}: an epoch of {len(examples):,} images",
            "a plain `fit`",
            **paired(epochs_of(names), epochs_of([]), repetitions),
        )


if __name__ == "__main__":
    main(measure)
