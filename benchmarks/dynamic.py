"""The time of epochs that a dynamic method prunes, against plain epochs of all examples.

At a fraction f of the examples, the ratio should be f, and is at most 1.1 f.

python benchmarks/dynamic.py [EXAMPLES] [EPOCHS] [REPETITIONS]
"""

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow


def measure(num_examples=20_000, epochs=3, repetitions=7):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.models import loading

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)

    def fit(method):
        """Returns a function that trains once, on all examples in each epoch if it is `None`."""
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, examples.num_classes)
        pruning = method and kp.dynamic.get(method, examples, epochs)
        model = pruning.recording(model) if pruning else model
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = pruning.batches(128) if pruning else examples.batches(128, shuffle=True)
        options = {"callbacks": [pruning] if pruning else [], "verbose": 0, "shuffle": False}
        return lambda: model.fit(batches, epochs=epochs, **options)

    methods = [{"name": "rs2", "f": f} for f in (0.3, 0.5, 0.7, 1.0)]
    methods += [{"name": "orderdp", "a": 0.8, "f": 0.5}]
    for method in methods:
        f = method["f"]
        yield Row(
            f"`{method['name']}` at f = {f}, at most {1.1 * f:.2f}: {epochs} epochs of "
            f"{len(examples):,} images",
            "a plain `fit`",
            **paired(fit(method), fit(None), repetitions),
        )


if __name__ == "__main__":
    main(measure)
