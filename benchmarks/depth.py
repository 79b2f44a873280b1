"""Prediction depth of Fashion-MNIST with ResNet-18, and the error of the random projection.

The reference is the minimum of any exact search: one forward pass, and the matrix products of all
layers. Projected and exact depth are compared on a fraction of the images. The last row is of
10,000 classes of two examples, whose softmax has 10,000 dimensions.

python benchmarks/depth.py [EXAMPLES] [EPOCHS] [COMPARED]
"""

from peak import peaks
from rows import Row, main, say
from timing import FASHION_MNIST, seconds, tensorflow

DIMENSIONS = (64, 128, 256, 512, 1024, 2048)
BATCH_SIZE, BLOCK = 256, 1024


def trained(examples, epochs):
    import keras

    from keras_pruning.config import TrainingConfig
    from keras_pruning.models import loading
    from keras_pruning.training import fit

    keras.utils.set_random_seed(0)
    model = loading.build("resnet18", examples.spec, examples.num_classes, width=16)
    say(f"training, {epochs} epochs")
    fit.train(model, examples, TrainingConfig(epochs=epochs))
    return model


def depths(model, examples, **options):
    import keras_pruning as kp

    score = kp.scores.PredictionDepth(**options)
    return kp.score_checkpoints([model], examples, [score])["prediction_depth"]


def bare(model, examples, widths):
    """Returns a function that computes the forward pass and all products, without their results."""
    tf = tensorflow()
    vectors = {width: tf.random.normal((len(examples), width)) for width in set(widths)}
    forward = tf.function(lambda x: model(x, training=False))

    def run():
        for x, _ in examples.batches(BATCH_SIZE):
            forward(x)
        for width in widths:
            for start in range(0, len(examples), BLOCK):
                block = vectors[width][start : start + BLOCK]
                tf.matmul(block, vectors[width], transpose_b=True)

    return run


def widths(model, examples, max_dimension):
    """Returns the dimensions of all layers of prediction depth, after the projection."""
    import numpy as np

    from keras_pruning.models.graph import layer_outputs
    from keras_pruning.models.probe_layers import probe_layers

    outputs = layer_outputs(model)
    shapes = [examples.shape, *[outputs[name][0].shape[1:] for name in probe_layers(model)]]
    dimensions = [min(int(np.prod(shape)), max_dimension) for shape in shapes]
    return [*dimensions, examples.num_classes]


def agreements(model, examples):
    """Yields two `Row`s for each dimension: the share of equal depths, and their correlation."""
    from scipy.stats import spearmanr

    say("exact depths, to compare with")
    exact = depths(model, examples, max_dimension=None)
    for dimension in DIMENSIONS:
        say(f"projection to {dimension} dimensions")
        projected = depths(model, examples, max_dimension=dimension)
        work = f"depth of {len(examples):,} images in {dimension} dimensions"
        equal = 100 * float((projected == exact).mean())
        yield Row(f"{work}, the same", "exact depth", equal, unit="%")
        correlation = 100 * float(spearmanr(projected, exact).statistic)
        yield Row(f"{work}, Spearman", "exact depth", correlation, unit="%")


def many_classes(num_classes=10_000):
    """Yields the `Row` of a dense network on classes of two examples each."""
    import keras
    import numpy as np

    import keras_pruning as kp

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(num_classes), 2)
    x = rng.normal(size=(num_classes, 32))[labels] + 0.1 * rng.normal(size=(len(labels), 32))
    examples = kp.Examples.from_arrays(x.astype("float32"), labels)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(num_classes)]
    model = keras.Sequential([keras.Input((32,)), *layers])
    took = []
    say(f"prediction depth of {num_classes:,} classes of two examples")
    peak, _ = peaks(lambda: took.append(seconds(lambda: depths(model, examples))))
    yield Row.of_one_pair(
        f"prediction depth, {num_classes:,} classes of two examples, 3 probes",
        "a forward pass and the matrix products alone",
        *took,
        seconds(bare(model, examples, [32, 64, num_classes])),
        peak=peak,
    )


def measure(num_examples=60_000, epochs=3, num_compared=10_000):
    tensorflow()
    import keras_pruning as kp
    from keras_pruning.scores import PredictionDepth

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    model = trained(examples, epochs)
    dimensions = widths(model, examples, PredictionDepth().max_dimension)
    took = []
    say(f"prediction depth of {num_examples:,} images, {len(dimensions)} probes")
    peak, _ = peaks(lambda: took.append(seconds(lambda: depths(model, examples))))
    yield Row.of_one_pair(
        f"prediction depth, {num_examples:,} images, ResNet-18 of width 16, "
        f"{len(dimensions)} probes, full support",
        "a forward pass and the matrix products alone",
        *took,
        seconds(bare(model, examples, dimensions)),
        peak=peak,
    )
    yield from many_classes()
    yield from agreements(model, kp.load_examples(FASHION_MNIST, fraction=num_compared / 60_000))


if __name__ == "__main__":
    main(measure)
