"""The cost of GraNd over all weights, against a training epoch of the same model.

python benchmarks/grand.py [EXAMPLES] [REPETITIONS]
"""

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow

MODELS = {"cnn": {}, "resnet18": {"width": 16}}


def measure(num_examples=4_000, repetitions=5):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.backend.tensorflow.passes import OutputPass
    from keras_pruning.models import loading
    from keras_pruning.scores import get

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    for name, options in MODELS.items():
        keras.utils.set_random_seed(0)
        model = loading.build(name, examples.spec, examples.num_classes, **options)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        grand = OutputPass(model, examples, {"grand": get("grand").observe}, batch_size=256)
        fit = epoch_of(model, examples.batches(128, shuffle=True))
        yield Row(
            f"`grand` over all weights of {len(examples):,} images, {name} {options or ''}".strip(),
            "an epoch of `fit`",
            **paired(grand, fit, repetitions),
        )


def epoch_of(model, batches):
    """Returns a function that trains one more epoch."""
    return lambda: model.fit(batches, epochs=1, verbose=0, shuffle=False)


if __name__ == "__main__":
    main(measure)
