"""Steps of training, in epochs without a start-up, against a bare PyTorch loop of the same network.

Ours runs several steps in a call of the graph, as all runs of this package do. A `fit` as a user
writes it runs one. Network, batch size, optimiser and the number of threads are the same.
Another epoch has the fused batch normalization of TensorFlow in the place of the operations of
Keras. It shows what they cost.

python benchmarks/training_step.py [IMAGES] [REPETITIONS]
"""

import importlib.util

import torch_twin
from rows import Row, main, say
from timing import FASHION_MNIST, ratios, tensorflow
from turns import in_turn

BATCH_SIZE, LEARNING_RATE = 128, 0.1


def epoch_of_keras(num_images, is_ours, normalization=None):
    """Returns a function that trains `networks.cnn` for one more epoch.

    Args:
        num_images: number of images.
        is_ours: whether several steps run in one call.
        normalization: function in the place of `keras.layers.BatchNormalization.call`.
    """
    tensorflow()
    import keras

    if normalization is not None:
        keras.layers.BatchNormalization.call = normalization

    import keras_pruning as kp
    from keras_pruning.models import loading
    from keras_pruning.training.optimizers import make_optimizer
    from keras_pruning.training.steps import steps_per_execution

    examples = kp.load_examples(FASHION_MNIST, fraction=num_images / 60_000)
    keras.utils.set_random_seed(0)
    model = loading.build("cnn", examples.spec, examples.num_classes)
    steps = -(-len(examples) // BATCH_SIZE)
    model.compile(
        make_optimizer("sgd", LEARNING_RATE, 5e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        steps_per_execution=steps_per_execution(steps) if is_ours else 1,
    )
    batches = examples.batches(BATCH_SIZE, shuffle=True)
    return lambda: model.fit(batches, epochs=1, verbose=0, shuffle=False)


def fused_normalization(layer, inputs, training=None, mask=None):
    """Normalizes a batch of images in training as `BatchNormalization` does, in one operation."""
    import tensorflow as tf

    weights = map(tf.convert_to_tensor, (layer.gamma, layer.beta))
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs, *weights, epsilon=layer.epsilon, is_training=True
    )
    # The operation gives the variance of n - 1 degrees of freedom
    count = tf.cast(tf.size(inputs) / tf.size(mean), inputs.dtype)
    for moving, batch in (
        (layer.moving_mean, mean),
        (layer.moving_variance, variance * (count - 1) / count),
    ):
        moving.assign(moving * layer.momentum + batch * (1 - layer.momentum))
    return outputs


def measure(num_images=5_120, repetitions=40):
    contestants = {
        "ours": (epoch_of_keras, {"num_images": num_images, "is_ours": True}),
        "a `fit` of one step in each call": (
            epoch_of_keras,
            {"num_images": num_images, "is_ours": False},
        ),
        "several steps a call, fused batch normalization": (
            epoch_of_keras,
            {"num_images": num_images, "is_ours": True, "normalization": fused_normalization},
        ),
    }
    if importlib.util.find_spec("torch") is None:
        say("torch is not installed: without its row. See benchmarks/requirements.txt")
    else:
        options = {"batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE}
        contestants["PyTorch, a bare loop"] = (
            torch_twin.epoch,
            {"num_examples": num_images, **options},
        )
    turns = in_turn(contestants, repetitions, uncounted=2, pause=0.3)
    mine = turns.pop("ours")
    for name, other in turns.items():
        work = f"an epoch of {num_images:,} images, `cnn`, batches of {BATCH_SIZE}"
        yield Row(work, name, **ratios(mine.seconds, other.seconds), peak=mine.peak)


if __name__ == "__main__":
    main(measure)
