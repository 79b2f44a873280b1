"""What a scoring pass costs: against a bare forward pass, and bare passes of input gradients.

python benchmarks/passes.py [EXAMPLES] [CHECKPOINTS] [REPETITIONS]
"""

import sys

from timing import FASHION_MNIST, paired, show

BATCH_SIZE = 256


def main(num_examples=20_000, num_checkpoints=5, repetitions=7):
    import keras
    import tensorflow as tf

    import keras_pruning as kp
    from keras_pruning import models
    from keras_pruning.scores import SCORES, get
    from keras_pruning.scores.signals import OutputPass, observe_input_gradients, weights_of

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    keras.utils.set_random_seed(0)
    model = models.build("cnn", examples.shape, examples.num_classes)
    batches = examples.batches(BATCH_SIZE)

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

    names = [name for name in SCORES if SCORES[name].signal == "outputs" and name != "grand"]
    observers = {name: get(name).observe for name in names}
    eval_pass = OutputPass(model, examples, observers, BATCH_SIZE)
    only_el2n = OutputPass(model, examples, {"el2n": get("el2n").observe}, BATCH_SIZE)
    checkpoints = [weights_of(model)] * num_checkpoints
    vog = {"vog": get("vog").observe}

    def bare_gradients():
        for checkpoint in checkpoints:
            model.set_weights(checkpoint)
            input_gradients()

    rows = {
        "el2n: a forward pass": paired(only_el2n, forward, repetitions),
        f"{len(names)} scores: a forward pass": paired(eval_pass, forward, repetitions),
        f"vog, {num_checkpoints} checkpoints: as many input-gradient passes": paired(
            lambda: observe_input_gradients(model, checkpoints, examples, vog, BATCH_SIZE),
            bare_gradients,
            repetitions,
        ),
    }
    show(f"Passes over {len(examples):,} images of Fashion-MNIST, cnn", rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
