"""The time of epochs that a dynamic method prunes, against plain epochs of all examples.

At a fraction f of the examples, the ratio should be f, and is at most 1.1 f. With XLA it is not:
the last batch has another size in every epoch, and XLA compiles the step anew for each size.

python benchmarks/dynamic.py [EXAMPLES] [EPOCHS] [REPETITIONS]
"""

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow


def measure(num_examples=10_000, epochs=2, repetitions=5):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.models import loading

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)

    def fit(method, jit_compile=False):
        """Returns a method, and a function that trains once with it, or on everything if `None`."""
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, examples.num_classes)
        pruning = method and kp.dynamic.get(method, examples, epochs)
        model = pruning.recording(model) if pruning else model
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, jit_compile=jit_compile)
        batches = pruning.batches(128) if pruning else examples.batches(128, shuffle=True)
        options = {"callbacks": [pruning] if pruning else [], "verbose": 0, "shuffle": False}
        return pruning, lambda: model.fit(batches, epochs=epochs, **options)

    methods = [({"name": "rs2", "f": f}, False) for f in (0.3, 0.5, 0.7, 1.0)]
    methods += [({"name": "orderdp", "a": 0.8, "f": 0.5}, False)]
    methods += [("infobatch", False), ("seta", False), ("infobatch", True)]
    for method, jit_compile in methods:
        (pruning, ours), (_, reference) = fit(method, jit_compile), fit(None, jit_compile)
        # Compiling takes many times as long as training.
        times = paired(ours, reference, 1 if jit_compile else repetitions)
        f = 1 - pruning.saved
        compiled = ", with `jit_compile=True`" if jit_compile else ""
        limit = "" if jit_compile else f", at most {1.1 * f:.2f}"
        yield Row(
            f"`{pruning.name}` at f = {f:.3g}{limit}: {epochs} epochs of {len(examples):,} "
            f"images{compiled}",
            f"a plain `fit`{compiled}",
            **times,
        )


if __name__ == "__main__":
    main(measure)
