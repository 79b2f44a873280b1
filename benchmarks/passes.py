"""The cost of a scoring pass, against a bare forward pass and bare passes of input gradients.

python benchmarks/passes.py [EXAMPLES] [CHECKPOINTS] [REPETITIONS]
"""

from rows import Row, main
from timing import FASHION_MNIST, paired, tensorflow

BATCH_SIZE = 256


def measure(num_examples=20_000, num_checkpoints=5, repetitions=7):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.backend.tensorflow.passes import (
        OutputPass,
        observe_input_gradients,
        weights_of,
    )
    from keras_pruning.models import loading
    from keras_pruning.scores import SCORES, get

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    keras.utils.set_random_seed(0)
    model = loading.build("cnn", examples.spec, examples.num_classes)
    forward, input_gradients = bare_passes(model, examples.batches(BATCH_SIZE))
    names = [name for name in SCORES if SCORES[name].signal == "outputs" and name != "grand"]
    for scores, title in ((["el2n"], "`el2n`"), (names, f"{len(names)} scores")):
        observers = {name: get(name).observe for name in scores}
        scoring_pass = OutputPass(model, examples, observers, BATCH_SIZE)
        yield Row(
            f"{title} of {len(examples):,} images in one pass",
            "a forward pass in a graph",
            **paired(scoring_pass, forward, repetitions),
        )
    vog = get("vog")
    vog.reset(examples, num_checkpoints)
    checkpoints, observers = [weights_of(model)] * num_checkpoints, {"vog": vog.observe}

    def bare_gradients():
        for checkpoint in checkpoints:
            model.set_weights(checkpoint)
            input_gradients()

    def ours():
        observe_input_gradients(model, checkpoints, examples, observers, BATCH_SIZE)

    yield Row(
        f"`vog` of {len(examples):,} images over {num_checkpoints} checkpoints",
        f"{num_checkpoints} passes of input gradients in a graph",
        **paired(ours, bare_gradients, repetitions),
    )


def bare_passes(model, batches):
    """Returns two functions: a forward pass, and a pass of the gradients of the labels' logits."""
    tf = tensorflow()

    @tf.function
    def forward():
        total = 0.0
        for x, _ in batches:
            total += tf.reduce_sum(model(x, training=False))
        return total

    @tf.function
    def input_gradients():
        total = 0.0
        for x, labels in batches:
            with tf.GradientTape() as tape:
                tape.watch(x)
                logits = model(x, training=False)
                label = tf.gather(logits, labels, axis=1, batch_dims=1)
            total += tf.reduce_sum(tape.gradient(label, x))
        return total

    return forward, input_gradients


if __name__ == "__main__":
    main(measure)
