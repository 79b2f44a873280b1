"""The cost of recording the scores of training dynamics, against a plain fit of the same model.

The first row compares a plain fit with another one. Its ratio is 1, and what is measured beside it
is the error of the other rows.

python benchmarks/recording.py [EXAMPLES] [REPETITIONS]
"""

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow


def measure(num_examples=4_000, repetitions=20):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.models import loading
    from keras_pruning.scores import SCORES

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    dynamics = [name for name in SCORES if SCORES[name].mode == "train"]

    def fit_one_epoch(scores):
        """Returns a function that trains one more epoch, and records `scores` if there are any."""
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, examples.num_classes)
        callbacks = [kp.ScoreCallback(examples, scores, epochs=100)] if scores else []
        for callback in callbacks:
            model = callback.recording(model)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = examples.batches(128, shuffle=True, rows=bool(scores))
        options = {"callbacks": callbacks, "verbose": 0, "shuffle": False}
        return lambda: model.fit(batches, epochs=1, **options)

    yield Row(
        f"a plain `fit`: an epoch of {len(examples):,} images",
        "another plain `fit`",
        **paired(fit_one_epoch([]), fit_one_epoch([]), repetitions),
    )
    few = [name for name in dynamics if name != "tdds"]
    for names, note in ((few, ""), (dynamics, ", TDDS among them")):
        yield Row(
            f"`fit` that records {len(names)} scores{note}: an epoch of {len(examples):,} images",
            "a plain `fit`",
            **paired(fit_one_epoch(names), fit_one_epoch([]), repetitions),
        )


if __name__ == "__main__":
    main(measure)
